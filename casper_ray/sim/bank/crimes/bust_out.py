"""Bust-out: a credit line is run up by somebody who does not mean to pay."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import purchases
from casper_ray.sim.bank.crimes.moments import over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.people import People
from casper_ray.sim.bank.rows import CREDIT, Rows

TIMES = (9, 16)
DAYS = (1, 3)
FACTOR = (1.2, 4.0)
LAST = 3
LAST_SHARE = (0.2, 0.6)
GOODS = ("electronics", "jewellery", "department", "clothing", "home", "sport")
MOVING = ("home", "hardware", "electronics", "department", "fuel", "restaurant", "home")


def crime(cast: Cast) -> Rows:
    """A holder of a credit card buys goods that can be sold again, nine to sixteen times within days, the last
    ones for large parts of the credit that is left, and never pays.
    """
    return _run_up(cast, DAYS, GOODS, FACTOR, LAST, LAST_SHARE)


def twin(cast: Cast) -> Rows:
    """A holder of a credit card moves house, or buys presents in December: as many purchases on credit, over
    more days, and the bill is paid.
    """
    return _run_up(cast, (6, 18), MOVING, (0.8, 3.2), 1, (0.05, 0.35))


def _run_up(
    cast: Cast,
    days: tuple[int, int],
    codes: tuple[str, ...],
    factor: tuple[float, float],
    last: int,
    last_share: tuple[float, float],
) -> Rows:
    who, count = cast.people(1, _with_credit), cast.number(TIMES)
    at = over_days(cast.chance, cast.begin_day, cast.number(days), count, night=0.05)
    at_a_distance = cast.chance.random(count) < 0.5
    shops = np.where(at_a_distance, cast.web_shops(codes, count), cast.shops(codes, who.city, count))
    rows = purchases(cast.estate, who, shops, at, cast.spent(who, factor, count), instrument=CREDIT)
    rows["share"][-last:] = -cast.uniform(last_share, last)
    rows["cents"][-last:] = 0
    return rows


def _with_credit(people: People) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return people.has_credit


PATTERN = Pattern(
    name="bust_out",
    title="Bust-out",
    figures="9-16 purchases on credit within 1-3 days, 1.2-4 times the mean; the last 3: 20-60 % of what is left",
    source="ours, after the trade's description",
    weight=1.0,
    rows_expected=12.5,
    span_days=20,
    right_decision="block",
    agent="credit",
    crime=crime,
    twin=twin,
    twin_name="moving house",
)
