"""First-party fraud: the customer buys, keeps the goods, and says it was somebody else."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import purchases
from casper_ray.sim.bank.crimes.moments import over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows

TIMES = (3, 6)
DAYS = (1, 3)
FACTOR = (0.9, 3.2)
GOODS = ("electronics", "clothing", "digital", "sport", "jewellery", "travel")
PRESENTS = ("clothing", "books", "sport", "electronics", "digital", "department")


def crime(cast: Cast) -> Rows:
    """A customer buys three to six times on the web within days, with the own device and from home, and weeks
    later disputes all of it.
    """
    return _orders(cast, GOODS, DAYS, FACTOR, night=0.25)


def twin(cast: Cast) -> Rows:
    """A customer orders presents, three to six times within days; now and then one does not arrive and is
    disputed with good reason.
    """
    return _orders(cast, PRESENTS, (2, 9), (0.6, 2.6), night=0.15)


def _orders(
    cast: Cast, codes: tuple[str, ...], days: tuple[int, int], factor: tuple[float, float], night: float
) -> Rows:
    who, count = cast.people(1), cast.number(TIMES)
    at = over_days(cast.chance, cast.begin_day, cast.number(days), count, night)
    shops, spent = cast.web_shops(codes, count), cast.spent(who, factor, count)
    return purchases(cast.estate, who, shops, at, spent, instrument=cast.card_of(who))


PATTERN = Pattern(
    name="first_party_fraud",
    title="First-party fraud",
    figures="3-6 orders within 1-3 days, 0.9-3.2 times the customer's mean; all of them disputed",
    source="ours, after the trade's description",
    weight=1.5,
    rows_expected=4.5,
    span_days=10,
    right_decision="hold",
    agent="fraud",
    crime=crime,
    twin=twin,
    twin_name="presents",
    disputed=1.0,
    twin_disputed=0.1,
)
