"""The chance of one case, and whom and what it picks: customers, strangers, merchants, machines, sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casper_ray.domain.bank import HOME_COUNTRY
from casper_ray.sim.bank.books import load_categories, load_places
from casper_ray.sim.bank.estate import Estate
from casper_ray.sim.bank.parties import MOST_OUTSIDE, outside
from casper_ray.sim.bank.people import People, home_cities, people
from casper_ray.sim.bank.rows import CREDIT, DEBIT
from casper_ray.sim.bank.streams import Floats, Ints, Purpose, stream

_POOL = 48
_USUAL_CENTS = 3_000
_ON_CREDIT = 0.34
_SPREAD_MICRO = 40_000
_FIELDS = tuple(field.name for field in fields(People))


class Cast:
    """What one case is told with. Everything follows from the seed and the case's number.

    No customer is picked twice. However many customers there are, it looks at a few dozen of them.
    """

    def __init__(self, seed: int, number: int, begin_day: int, *, customers: int, estate: Estate) -> None:
        self.chance = stream(seed, Purpose.CASES, number)
        self.begin_day = begin_day
        self.estate = estate
        candidates = self.chance.choice(customers, min(_POOL, customers), replace=False)
        self._pool = people(seed, candidates)
        self._free = np.ones(len(candidates), dtype=np.bool_)

    def people(self, count: int, suits: Callable[[People], NDArray[np.bool_]] | None = None) -> People:
        """`count` customers who have no part yet; of those that suit, while there are any."""
        wanted = suits(self._pool) if suits else self._free
        order = np.concatenate([np.flatnonzero(self._free & wanted), np.flatnonzero(self._free & ~wanted)])
        chosen = order[:count]
        self._free[chosen] = False
        return some(self._pool, chosen)

    def strangers(self, count: int) -> Ints:
        """Accounts of people at other banks, who have nothing to do with the bank otherwise."""
        return outside(self.chance.integers(0, MOST_OUTSIDE, count))

    def device(self) -> int:
        """A device that is nobody's yet."""
        return int(self.chance.integers(1, 2**31))

    def number(self, bounds: tuple[int, int]) -> int:
        """A whole number from the first to the second of `bounds`, both included."""
        return int(self.chance.integers(bounds[0], bounds[1] + 1))

    def uniform(self, bounds: tuple[float, float], count: int) -> Floats:
        drawn: Floats = self.chance.uniform(*bounds, count)
        return drawn

    def odds(self, probability: float) -> bool:
        return bool(self.chance.random() < probability)

    def sums(self, who: People, bounds_eur: tuple[float, float], count: int) -> Ints:
        """Cents to transfer: between the bounds, scaled to what those people are used to spend.

        Rules: half of the sums are whole, in steps of 5 EUR, as people like them. At least 1 EUR.
        """
        habit = np.clip(who.mean_cents / _USUAL_CENTS, 0.5, 2.5)
        cents = (
            self.uniform(bounds_eur, count) * habit * np.exp(0.35 * self.chance.standard_normal(count)) * 100
        )
        whole = np.rint(cents / 500) * 500
        return np.maximum(np.where(self.chance.random(count) < 0.5, whole, cents), 100).astype(np.int64)

    def spent(self, who: People, factor: tuple[float, float], count: int) -> Ints:
        """Cents of purchases: gamma-distributed about the person's own mean times a factor between the bounds."""
        cents = self.chance.gamma(1.8, 1 / 1.8, count) * who.mean_cents * self.uniform(factor, count)
        return np.maximum(cents, 50).astype(np.int64)

    def kinds_of_shop(self, codes: tuple[str, ...], count: int) -> Ints:
        """Indexes of categories, drawn from those with the codes."""
        return np.array([category_index(code) for code in codes])[self.chance.integers(0, len(codes), count)]

    def shops(self, codes: tuple[str, ...], cities: Any, count: int) -> Ints:
        """Merchants of such categories that stand in the cities."""
        place = np.broadcast_to(np.asarray(cities, dtype=np.int64), count)
        return self.estate.near(self.kinds_of_shop(codes, count), place, self.chance.random(count))

    def web_shops(self, codes: tuple[str, ...], count: int) -> Ints:
        """Merchants of such categories that sell at a distance."""
        return self.estate.distant(self.kinds_of_shop(codes, count), self.chance.random(count))

    def machines(self, cities: Any, count: int) -> Ints:
        """Cash machines in the cities."""
        place = np.broadcast_to(np.asarray(cities, dtype=np.int64), count)
        return self.estate.machine(place, self.chance.random(count))

    def card_of(self, who: People) -> Ints:
        """The card that each of them uses: of the card account at times, if there is one."""
        return np.where(who.has_credit & (self.chance.random(len(who)) < _ON_CREDIT), CREDIT, DEBIT)

    def whereabouts(self) -> tuple[int, int]:
        """Latitude and longitude, in millionths of a degree, of somebody who has a device: in any city."""
        first = self.estate.atm_first[self.chance.integers(len(load_places().cities))]
        north, east = self.chance.normal(0, _SPREAD_MICRO, 2)
        return int(self.estate.atm_lat[first] + north), int(self.estate.atm_lon[first] + east)

    def elsewhere(self, city: int, count: int, abroad: float = 0.0) -> Ints:
        """Other cities than that one: each abroad with that probability."""
        home = home_cities()[home_cities() != city]
        far = foreign_cities()
        out = self.chance.random(count) < abroad
        at_home = home[self.chance.integers(0, len(home), count)]
        return np.where(out, far[self.chance.integers(0, len(far), count)], at_home)


def some(who: People, index: Any) -> People:
    """Those people, in that order; a person may come more than once."""
    return People(**{name: getattr(who, name)[index] for name in _FIELDS})


@cache
def foreign_cities() -> Ints:
    """Indexes of the cities abroad."""
    cities = load_places().cities
    return np.array([i for i, city in enumerate(cities) if city.country != HOME_COUNTRY], dtype=np.int64)


@cache
def category_index(code: str) -> int:
    """Place of a category in the books.

    Raises: ValueError if there is no such code.
    """
    return [category.code for category in load_categories()].index(code)
