"""Ids, account numbers and card numbers: made from numbers, unique by construction, alike in width.

A transaction's number says where it comes from: day, shard, place within the shard's day, and of a reversal,
refund or chargeback also which of them (its original's number otherwise). So an action that changes what
happens renames nothing else.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.sim.bank.streams import Ints, Salt, Words, hashed, mixed
from casper_ray.sim.text import Bytes, digits, fixed_width, letters_of

COUNTRY = "QZ"
"""ISO 3166 leaves QM to QZ to its users: no country's."""
BANK_CODE = "CSPR"
IIN = "989999"
"""Begins with 98: 9 is for national assignment in ISO/IEC 7812; no scheme's."""

_DAY_BITS, _SHARD_BITS, _PLACE_BITS = 14, 16, 22
_FOLLOW_UP_SHIFT = _DAY_BITS + _SHARD_BITS + _PLACE_BITS
_ACCOUNTS = 10**9
_STEP = 387_420_489  # 3^18: coprime to 10^9, so that multiplying by it shuffles the numbers below 10^9
_BACK = pow(_STEP, -1, _ACCOUNTS)
_SHIFT = 271_828_183
MOST_CUSTOMERS = 100_000_000

_HEX_PAIRS = letters_of([f"{byte:02X}" for byte in range(256)]).view(np.uint16).ravel()


def first_number(shard: int, day: int) -> int:
    """Number of the first transaction of a shard's day; the others follow."""
    return (day << (_SHARD_BITS + _PLACE_BITS)) | (shard << _PLACE_BITS)


def follow_up_numbers(originals: Ints, which: int) -> Ints:
    """Numbers of what undoes the originals; `which`: 1 to 7."""
    return originals | (which << _FOLLOW_UP_SHIFT)


def hex_ids(prefix: str, words: Words) -> pl.Series:
    """`prefix` and 16 hexadecimal digits for each word."""
    data = words.astype(">u8").view(np.uint8).reshape(len(words), 8)
    letters = np.empty((len(words), len(prefix) + 16), dtype=np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode("ascii"), dtype=np.uint8)
    letters[:, len(prefix) :] = _HEX_PAIRS[data].view(np.uint8)
    return fixed_width(letters)


def transaction_ids(seed: int, numbers: Ints) -> pl.Series:
    """T and 16 hexadecimal digits for each transaction's number."""
    return hex_ids("T", hashed(seed, Salt.TRANSACTION, numbers))


def event_words(seed: int, numbers: Ints, steps: Ints) -> Words:
    """64 bits for each event: what event ids are written from, and sort like."""
    return mixed(hashed(seed, Salt.EVENT, numbers) + steps.astype(np.uint64))


def customer_ids(customers: Ints) -> pl.Series:
    """C and nine digits."""
    return coded("C", customers, 9)


def coded(prefix: str, numbers: Ints, width: int) -> pl.Series:
    """`prefix` and the number with leading zeros; width at most nine."""
    return fixed_width(np.concatenate([_same(prefix, len(numbers)), _decimal(numbers, width)], axis=1))


def account_numbers(accounts: Ints) -> pl.Series:
    """IBANs of accounts of ours."""
    rows = len(accounts)
    return account_numbers_at(_same(COUNTRY, rows), _same(BANK_CODE, rows), accounts)


def account_numbers_at(countries: Bytes, banks: Bytes, accounts: Ints) -> pl.Series:
    """IBANs (ISO 13616): country, check digits (ISO 7064, modulo 97), four letters of the bank, 12 digits.

    countries, banks  codes of two and of four letters, one row an account
    """
    body = np.concatenate([banks, _decimal(accounts, 12)], axis=1)
    return fixed_width(np.concatenate([countries, _check(body, countries), body], axis=1))


def own_accounts(customers: Ints, instrument: Ints | int) -> Ints:
    """The account of a customer: DEBIT the current account, CREDIT the card account."""
    return _scrambled(customers * 2 + instrument)


def pans(cards: Ints) -> pl.Series:
    """Card numbers: the issuer's six digits, nine of the card and a check digit (Luhn, ISO/IEC 7812-1)."""
    body = np.concatenate([_same(IIN, len(cards)), _decimal(_scrambled(cards), 9)], axis=1)
    values = (body - ord("0")).astype(np.int64)
    doubled = values[:, ::-2] * 2  # from the right, every second digit, the last of the body first
    total = values[:, -2::-2].sum(axis=1) + (doubled - 9 * (doubled > 9)).sum(axis=1)
    check = ((-total) % 10 + ord("0")).astype(np.uint8)
    return fixed_width(np.concatenate([body, check[:, None]], axis=1))


def card_of(pan: str) -> tuple[int, int]:
    """(customer, instrument) of a card number of ours."""
    card = (int(pan[6:15]) - _SHIFT) * _BACK % _ACCOUNTS
    return card // 2, card % 2


def account_of(account_number: str) -> tuple[int, int]:
    """(customer, instrument) of an account number of ours."""
    account = (int(account_number[8:]) - _SHIFT) * _BACK % _ACCOUNTS
    return account // 2, account % 2


def cards_of(customers: Ints, instrument: Ints | int) -> Ints:
    """The card of a customer: of the current account or of the card account."""
    return customers * 2 + instrument


def _scrambled(numbers: Ints) -> Ints:
    """A shuffle of the numbers below 10^9, so that neighbours' numbers do not look alike."""
    words = numbers.astype(np.uint64) * np.uint64(_STEP) + np.uint64(_SHIFT)
    shuffled: Ints = (words % np.uint64(_ACCOUNTS)).astype(np.int64)
    return shuffled


def _same(text: str, rows: int) -> Bytes:
    return np.repeat(letters_of([text]), rows, axis=0)


def _decimal(numbers: Ints, width: int) -> Bytes:
    """The last `width` digits of the numbers, as codes."""
    parts = []
    left = numbers.astype(np.int64)
    for start in range(width, 0, -3):
        left, part = np.divmod(left, 1000)
        parts.append(digits(3)[part][:, max(0, 3 - start) :])
    return np.concatenate(parts[::-1], axis=1)


def _check(body: Bytes, countries: Bytes) -> Bytes:
    """The two check digits: 98 less the remainder by 97 of body, country and 00, letters read as 10 to 35."""
    remainder: NDArray[np.int64] = np.zeros(len(body), dtype=np.int64)
    tail = np.concatenate([body, countries, _same("00", len(body))], axis=1)
    for column in tail.T:
        code = column.astype(np.int64)
        letter = code >= ord("A")
        value = np.where(letter, code - 55, code - 48)
        remainder = (remainder * np.where(letter, 100, 10) + value) % 97
    return digits(2)[98 - remainder]
