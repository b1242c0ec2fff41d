"""Cases of every typology, told for tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from casper_ray.sim.bank.crimes.all import NAMES
from casper_ray.sim.bank.crimes.deck import Case, case_rows
from casper_ray.sim.bank.estate import estate
from casper_ray.sim.bank.rows import Rows

SEED, CUSTOMERS, BEGIN = 42, 5_000, 10

Told = Callable[..., list[Rows]]


@pytest.fixture(scope="session")
def told() -> Told:
    """`told(name, twin, count)`: the rows of so many cases, not to be changed; no crime's number is a twin's."""

    @cache
    def cases(name: str, twin: bool = False, count: int = 30, customers: int = CUSTOMERS) -> list[Rows]:
        stands = estate(SEED, customers)
        return [
            case_rows(
                SEED,
                Case(2 * number + twin, NAMES.index(name), twin, BEGIN),
                customers=customers,
                days=BEGIN + 90,
                estate=stands,
            )
            for number in range(count)
        ]

    return cases
