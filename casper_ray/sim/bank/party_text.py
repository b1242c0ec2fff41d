"""Names, accounts and banks of parties, written from their numbers."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl

from casper_ray.sim.bank.books import load_places
from casper_ray.sim.bank.names import firm_names, person_names
from casper_ray.sim.bank.numbers import BANK_CODE, COUNTRY, account_numbers_at, own_accounts
from casper_ray.sim.bank.parties import PartyKind, bodies, instrument_of, kinds, owner
from casper_ray.sim.bank.sanctions import spelled
from casper_ray.sim.bank.streams import Ints, Salt, below
from casper_ray.sim.text import letters_of

_HEADS = ("ALTA", "BRIX", "CORD", "DELV", "ESTR", "FINX", "GRAN", "HAVN")
_ENDS = ("A", "E", "I", "O", "U")


class Bank(NamedTuple):
    """A bank that our customers' transfers go to or come from."""

    code: str
    name: str
    country: str


@cache
def counterparty_banks() -> tuple[Bank, ...]:
    """Our own bank first, then the others; most of them at home."""
    countries = [country.code for country in load_places().countries]
    others = [head[:3] + end for head in _HEADS for end in _ENDS]
    return (
        Bank(BANK_CODE, "Casper Bank", COUNTRY),
        *(
            Bank(
                code,
                f"{code.title()} Bank",
                COUNTRY if i % 5 else countries[1 + i // 5 % (len(countries) - 1)],
            )
            for i, code in enumerate(others)
        ),
    )


class PartyText(NamedTuple):
    """What stands in a transfer about one side of it."""

    name: pl.Series
    account: pl.Series
    bank: pl.Series


def party_text(seed: int, parties: Ints) -> PartyText:
    """Name, IBAN and bank id of each party."""
    kind, body = kinds(parties), bodies(parties)
    ours = kind == PartyKind.OWN
    banks = counterparty_banks()
    bank = np.where(ours, 0, 1 + _banks(seed, parties))
    number = np.where(
        ours,
        own_accounts(owner(parties), instrument_of(parties)),
        below(seed, Salt.PARTY, parties, 10**12),
    )
    heads = letters_of([entry.country for entry in banks])[bank]
    codes = letters_of([entry.code for entry in banks])[bank]
    return PartyText(
        _names(seed, kind, body),
        account_numbers_at(heads, codes, number),
        pl.Series([entry.code for entry in banks]).gather(bank),
    )


def _names(seed: int, kind: Ints, body: Ints) -> pl.Series:
    """Each kind of party's names, put back in the order of the parties."""
    parts, places = [], []
    for wanted in PartyKind:
        found = np.flatnonzero(kind == wanted)
        if len(found):
            parts.append(_names_of(seed, wanted, body[found]))
            places.append(found)
    if not parts:
        return pl.Series(dtype=pl.String)
    return pl.concat(parts).gather(np.argsort(np.concatenate(places)))


def _names_of(seed: int, kind: PartyKind, body: Ints) -> pl.Series:
    if kind == PartyKind.FIRM:
        return firm_names(seed, body)
    if kind in (PartyKind.LISTED, PartyKind.NAMESAKE):
        return spelled(seed, body, kind == PartyKind.NAMESAKE)
    given, family = person_names(seed, body >> 1 if kind == PartyKind.OWN else body + (1 << 42))
    return (given + " " + family).alias("")


def _banks(seed: int, parties: Ints) -> Ints:
    return below(seed, Salt.BANK, parties, len(counterparty_banks()) - 1)
