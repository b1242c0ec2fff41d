"""Structuring: cash paid in just below the sum that must be reported."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import deposits
from casper_ray.sim.bank.crimes.moments import over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows

THRESHOLD_EUR = 10_000
MARGIN_EUR = 500
TIMES = (3, 7)
DAYS = (3, 14)
TAKINGS_EUR = (9_300.0, 10_150.0)


def crime(cast: Cast) -> Rows:
    """A customer pays in cash three to seven times within days, at machines of several cities, each time just
    less than what must be reported.
    """
    who, count = cast.people(1), cast.number(TIMES)
    at = over_days(cast.chance, cast.begin_day, cast.number(DAYS), count)
    cents = cast.uniform((THRESHOLD_EUR - MARGIN_EUR, THRESHOLD_EUR - 10), count) * 100
    near = cast.chance.random(count) < 0.5
    cities = cast.elsewhere(int(who.city[0]), count)
    cities[near] = who.city[0]
    return deposits(cast.estate, who, cast.machines(cities, count), at, cents.astype("i8"))


def twin(cast: Cast) -> Rows:
    """A shopkeeper pays in the takings, at the machines near the shop: similar sums, some of them above the
    reporting threshold, which does not trouble an honest person.
    """
    who, count = cast.people(1), cast.number(TIMES)
    at = over_days(cast.chance, cast.begin_day, cast.number((DAYS[0] + 4, DAYS[1] + 7)), count)
    cents = cast.uniform(TAKINGS_EUR, count) * 100
    return deposits(cast.estate, who, cast.machines(who.city, count), at, cents.astype("i8"))


PATTERN = Pattern(
    name="structuring",
    title="Structuring",
    figures="3-7 deposits of 9,500-9,990 EUR within 3-14 days; reporting threshold 10,000, margin 500",
    source="threshold and margin: the 10,000 reporting rule as in SAML-D; counts ours",
    weight=1.2,
    rows_expected=5.0,
    span_days=23,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="a shopkeeper's takings",
)
