"""Funnel account: cash paid in in many cities, drawn in another one at once."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import deposits, withdrawals
from casper_ray.sim.bank.crimes.moments import later, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows, together

DEPOSITS = (5, 9)
SUMS_EUR = (250.0, 900.0)
DAYS = (3, 10)
DRAWN_EUR = (120.0, 420.0)


def crime(cast: Cast) -> Rows:
    """Different people pay cash into one account in cities far from its holder, who draws it at home within
    hours of most deposits.
    """
    return _through(cast, away=0.95, drawn=0.65, days=DAYS, waits_h=(0.5, 14))


def twin(cast: Cast) -> Rows:
    """A travelling trader pays in the takings of each town on the way and draws cash at home later, when goods
    have to be paid for.
    """
    return _through(cast, away=0.7, drawn=0.5, days=(DAYS[0] + 3, DAYS[1] + 8), waits_h=(5, 90))


def _through(
    cast: Cast, away: float, drawn: float, days: tuple[int, int], waits_h: tuple[float, float]
) -> Rows:
    who, count = cast.people(1), cast.number(DEPOSITS)
    home = int(who.city[0])
    at = over_days(cast.chance, cast.begin_day, cast.number(days), count)
    cities = np.where(cast.chance.random(count) < away, cast.elsewhere(home, count), home)
    cash = deposits(cast.estate, who, cast.machines(cities, count), at, cast.sums(who, SUMS_EUR, count))
    after = at[cast.chance.random(count) < drawn]
    times = later(cast.chance, after if len(after) else at[-1:], *waits_h)
    sums = cast.sums(who, DRAWN_EUR, len(times))
    return together([cash, withdrawals(cast.estate, who, cast.machines(home, len(times)), times, sums)])


PATTERN = Pattern(
    name="funnel_account",
    title="Funnel account",
    figures="5-9 deposits of 250-900 EUR (scaled) in other cities over 3-10 days, two thirds drawn within 14 h",
    source="described by FinCEN advisory FIN-2014-A005; figures ours",
    weight=0.7,
    rows_expected=11.5,
    span_days=22,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="a travelling trader's takings",
)
