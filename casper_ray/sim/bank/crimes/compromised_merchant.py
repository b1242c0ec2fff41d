"""Compromised merchant: cards that were used at one shop are misused elsewhere."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast, some
from casper_ray.sim.bank.crimes.deeds import innocent, purchases
from casper_ray.sim.bank.crimes.moments import on_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.people import People
from casper_ray.sim.bank.rows import Rows, together
from casper_ray.sim.bank.streams import Ints

CARDS = (4, 8)
TIMES = (1, 3)
DAYS = 14
VISITS_DAYS = 3
FACTOR = (0.6, 2.5)
SHOPS = ("grocery", "fuel", "restaurant", "pharmacy", "clothing")
MISUSED_AT = ("electronics", "clothing", "department", "travel", "digital", "fast_food", "transport")


def crime(cast: Cast) -> Rows:
    """Four to eight customers pay at one shop within days (that is no crime); their cards are copied there, and
    in the fourteen days that follow each is misused on the web one to three times, from strange devices.
    """
    who, visits = _visits(cast)
    each = _each(cast, who)
    devices = np.array([cast.device() for _ in who.customer])[each]
    far = cast.whereabouts()
    at = on_days(cast.chance, _days_after(cast, len(each)), len(each), night=0.35)
    shops, users = cast.web_shops(MISUSED_AT, len(each)), some(who, each)
    spent = cast.spent(users, FACTOR, len(each))
    return together(
        [innocent(visits), purchases(cast.estate, users, shops, at, spent, device=devices, far=far)]
    )


def twin(cast: Cast) -> Rows:
    """As many customers find the same new shop, and in the weeks of a sale each buys one to three times on the
    web, at shops where they never were: with their own devices, or at times with one they borrow.
    """
    who, visits = _visits(cast)
    each = _each(cast, who)
    users = some(who, each)
    borrowed = np.where(cast.chance.random(len(each)) < 0.25, cast.device(), users.device)
    at = on_days(cast.chance, _days_after(cast, len(each)), len(each), night=0.2)
    shops, spent = cast.web_shops(MISUSED_AT, len(each)), cast.spent(users, (0.5, 2.3), len(each))
    return together([innocent(visits), purchases(cast.estate, users, shops, at, spent, device=borrowed)])


def _visits(cast: Cast) -> tuple[People, Rows]:
    """Customers of one city, and what each of them pays at the shop."""
    first = cast.people(1)
    city = int(first.city[0])
    who = cast.people(cast.number(CARDS), lambda people: people.city == city)
    shop = np.repeat(cast.shops(SHOPS, city, 1), len(who))
    days = cast.begin_day + cast.chance.integers(0, VISITS_DAYS, len(who))
    days[0] = cast.begin_day
    at = on_days(cast.chance, days, len(who))
    return who, purchases(cast.estate, who, shop, at, cast.spent(who, (0.5, 1.2), len(who)))


def _each(cast: Cast, who: People) -> Ints:
    times = cast.chance.integers(TIMES[0], TIMES[1] + 1, len(who))
    return np.repeat(np.arange(len(who)), times)


def _days_after(cast: Cast, count: int) -> Ints:
    return cast.begin_day + VISITS_DAYS + cast.chance.integers(0, DAYS, count)


PATTERN = Pattern(
    name="compromised_merchant",
    title="Compromised merchant",
    figures="4-8 cards, each misused 1-3 times within 14 days, 0.6-2.5 times the holder's mean",
    source="fraud detection handbook (a card compromised for 14 days; its factor of 5 softened); counts ours",
    weight=2.0,
    rows_expected=12.0,
    span_days=19,
    right_decision="block",
    agent="fraud",
    crime=crime,
    twin=twin,
    twin_name="a new shop, then the sales",
    disputed=0.8,
)
