"""Stolen card: a run of purchases with somebody else's card."""

from __future__ import annotations

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import purchases, withdrawals
from casper_ray.sim.bank.crimes.flows import last
from casper_ray.sim.bank.crimes.moments import burst, later, on_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.people import People
from casper_ray.sim.bank.rows import Rows, together

TIMES = (4, 9)
HOURS = (0.2, 1.2)
FACTOR = (0.9, 2.8)
STOLEN_AT = ("electronics", "clothing", "department", "grocery", "pharmacy", "fuel", "fast_food", "taxi")
TRIP_AT = ("restaurant", "clothing", "department", "fuel", "transport", "hotel", "bar", "fast_food", "taxi")


def crime(cast: Cast) -> Rows:
    """A thief uses a card four to nine times within an hour or so, in the holder's city or another, at shops
    where nobody asks or of goods that can be sold; sometimes at a cash machine too.
    """
    who, lasts_h = cast.people(1), float(cast.uniform(HOURS, 1)[0])
    city = int(who.city[0]) if cast.odds(0.4) else int(cast.elsewhere(int(who.city[0]), 1, abroad=0.4)[0])
    bought = _run(cast, who, city, STOLEN_AT, lasts_h, FACTOR, night=0.35)
    if cast.odds(0.75):
        return bought
    at = later(cast.chance, last(bought), 0.1, 2)
    return together(
        [bought, withdrawals(cast.estate, who, cast.machines(city, 1), at, cast.sums(who, (60, 300), 1))]
    )


def twin(cast: Cast) -> Rows:
    """The holder makes a trip, often abroad, or has a day in town, and pays four to nine times on the way."""
    who, lasts_h = cast.people(1), float(cast.uniform((3, 40), 1)[0])
    city = int(who.city[0]) if cast.odds(0.3) else int(cast.elsewhere(int(who.city[0]), 1, abroad=0.6)[0])
    return _run(cast, who, city, TRIP_AT, lasts_h, (0.6, 2.2), night=0.2)


def _run(
    cast: Cast,
    who: People,
    city: int,
    codes: tuple[str, ...],
    lasts_h: float,
    factor: tuple[float, float],
    night: float,
) -> Rows:
    count = cast.number(TIMES)
    at = burst(cast.chance, int(on_days(cast.chance, cast.begin_day, 1, night)[0]), count, lasts_h)
    shops, spent = cast.shops(codes, city, count), cast.spent(who, factor, count)
    return purchases(cast.estate, who, shops, at, spent, instrument=cast.card_of(who))


PATTERN = Pattern(
    name="stolen_card",
    title="Stolen card",
    figures="4-9 purchases within 0.2-1.2 h, 0.9-2.8 times the holder's mean, 35 % begun between 22:00 and 04:00",
    source="Sparkov (hours, gamma amounts, near merchants), softened; counts ours",
    weight=5.0,
    rows_expected=6.75,
    span_days=4,
    right_decision="block",
    agent="fraud",
    crime=crime,
    twin=twin,
    twin_name="a trip",
    disputed=0.8,
)
