"""Account and card numbers are valid, unique, and lead back to who has them."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.numbers import (
    account_numbers,
    account_of,
    card_of,
    cards_of,
    customer_ids,
    first_number,
    follow_up_numbers,
    own_accounts,
    pans,
    transaction_ids,
)

CUSTOMERS = np.concatenate([np.arange(2_000), np.arange(99_999_000, 99_999_500)])


def luhn_holds(pan: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(pan)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def iban_holds(account: str) -> bool:
    return int("".join(str(int(letter, 36)) for letter in account[4:] + account[:4])) % 97 == 1


def test_card_numbers_satisfy_luhn_and_are_unique() -> None:
    told = [*pans(cards_of(CUSTOMERS, 0)), *pans(cards_of(CUSTOMERS, 1))]
    assert all(luhn_holds(pan) and len(pan) == 16 for pan in told)
    assert len(set(told)) == 2 * len(CUSTOMERS)


def test_account_numbers_satisfy_modulo_97_and_are_unique() -> None:
    told = [*account_numbers(own_accounts(CUSTOMERS, 0)), *account_numbers(own_accounts(CUSTOMERS, 1))]
    assert all(iban_holds(account) and len(account) == 20 for account in told)
    assert len(set(told)) == 2 * len(CUSTOMERS)


def test_numbers_lead_back_to_the_customer() -> None:
    for instrument in (0, 1):
        cards = pans(cards_of(CUSTOMERS[-50:], instrument))
        accounts = account_numbers(own_accounts(CUSTOMERS[-50:], instrument))
        assert [card_of(pan) for pan in cards] == [(c, instrument) for c in CUSTOMERS[-50:]]
        assert [account_of(account) for account in accounts] == [(c, instrument) for c in CUSTOMERS[-50:]]


def test_transactions_of_all_shards_days_and_follow_ups_have_names_of_their_own() -> None:
    plain = np.concatenate(
        [first_number(s, d) + np.arange(50) for s in (0, 1, 65_535) for d in (0, 1, 16_000)]
    )
    numbers = np.concatenate([plain, *(follow_up_numbers(plain, which) for which in (1, 2, 3))])
    told = transaction_ids(42, numbers)
    assert told.n_unique() == len(numbers)
    assert set(told.str.len_chars()) == {17}
    assert customer_ids(np.array([7])).to_list() == ["C000000007"]
