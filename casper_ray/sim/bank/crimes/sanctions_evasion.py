"""Sanctions evasion: a listed person is paid under a name that is written otherwise."""

from __future__ import annotations

from collections.abc import Callable

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import transfers
from casper_ray.sim.bank.crimes.moments import over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.parties import VARIANTS, listed, namesake
from casper_ray.sim.bank.rows import Rows
from casper_ray.sim.bank.streams import Ints

PAYMENTS = (1, 3)
DAYS = (1, 14)
SUMS_EUR = (80.0, 450.0)
ENTRIES = 200
"""Of the list, the first ones; any list is longer."""


def crime(cast: Cast) -> Rows:
    """A customer pays an entry of the sanctions list one to three times; its name is misspelled, so that it is
    not found by looking for the name as listed.
    """
    return _paid(cast, listed, cast.number((1, VARIANTS - 1)), SUMS_EUR)


def twin(cast: Cast) -> Rows:
    """A customer pays somebody whose name is nearly that of an entry of the list, and who has nothing to do
    with it.
    """
    return _paid(cast, namesake, cast.number((0, VARIANTS - 1)), (70.0, 430.0))


def _paid(
    cast: Cast, party: Callable[[Ints, int], Ints], variant: int, bounds_eur: tuple[float, float]
) -> Rows:
    who, count = cast.people(1), cast.number(PAYMENTS)
    payee = party(cast.chance.integers(0, ENTRIES, 1), variant)
    at = over_days(cast.chance, cast.begin_day, cast.number(DAYS), count)
    return transfers(who, payee, at, cast.sums(who, bounds_eur, count))


PATTERN = Pattern(
    name="sanctions_evasion",
    title="Sanctions evasion by misspelling",
    figures="1-3 payments of 80-450 EUR (scaled) within 14 days to an entry spelled in one of 7 other ways",
    source="ours",
    weight=1.5,
    rows_expected=2.0,
    span_days=15,
    right_decision="block",
    agent="screening",
    crime=crime,
    twin=twin,
    twin_name="a namesake",
)
