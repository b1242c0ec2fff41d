"""Where money is spent: merchants by category and city, and cash machines. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from casper_ray.domain.bank import HOME_COUNTRY
from casper_ray.sim.bank.books import load_branches, load_categories, load_places
from casper_ray.sim.bank.people import MICRO_PER_KM
from casper_ray.sim.bank.rows import NONE
from casper_ray.sim.bank.streams import Floats, Ints, Purpose, stream

_ABROAD_ATMS = 6
_CUSTOMERS_PER_MERCHANT = 6
_CUSTOMERS_PER_ATM_SET = 25_000
_CHANGING_SHARE = 0.01
_CHANGES_IN_DAYS = 90
_SPREAD_KM = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Merchants and cash machines; arrays, one place each.

    merchant_category        index of load_categories() on day 0
    merchant_city            index of load_places().cities: where it stands, or has its seat
    merchant_lat, _lon       millionths of a degree
    merchant_online          sells at a distance only
    merchant_risk            how much fraud is seen there, 0 to 1
    first, count             by category and city (the last column: at a distance), the run of merchants
    change_day, new_category of a merchant that is filed otherwise from a day on; NONE: never
    atm_branch               index of load_branches(); NONE of a machine abroad
    """

    merchant_category: Ints
    merchant_city: Ints
    merchant_lat: Ints
    merchant_lon: Ints
    merchant_online: NDArray[np.bool_]
    merchant_risk: Floats
    first: Ints
    count: Ints
    change_day: Ints
    new_category: Ints
    atm_branch: Ints
    atm_city: Ints
    atm_lat: Ints
    atm_lon: Ints
    atm_first: Ints
    atm_count: Ints

    def near(self, category: Ints, city: Ints, chance: Floats) -> Ints:
        """A merchant of the category in the city for each number in [0, 1): there always is one."""
        return self.first[category, city] + (chance * self.count[category, city]).astype(np.int64)

    def distant(self, category: Ints, chance: Floats) -> Ints:
        """A merchant of the category that sells at a distance, for each number in [0, 1)."""
        return self.near(category, np.full(len(category), self.first.shape[1] - 1), chance)

    def machine(self, city: Ints, chance: Floats) -> Ints:
        """A cash machine in the city for each number in [0, 1)."""
        return self.atm_first[city] + (chance * self.atm_count[city]).astype(np.int64)

    def category_on(self, merchants: Ints, day: Ints) -> Ints:
        """Index of the category under which the merchants are filed on the days."""
        changed = (self.change_day[merchants] != NONE) & (day >= self.change_day[merchants])
        return np.where(changed, self.new_category[merchants], self.merchant_category[merchants])


@lru_cache(maxsize=4)
def estate(seed: int, customers: int) -> Estate:
    """The merchants and machines of a bank of so many customers. Depends on nothing else."""
    rng = stream(seed, Purpose.ESTATE)
    categories, cities = load_categories(), load_places().cities
    count = _merchant_counts(customers)
    category, place = (axis.astype(np.int64) for axis in np.divmod(np.arange(count.size), count.shape[1]))
    category, place = np.repeat(category, count.ravel()), np.repeat(place, count.ravel())
    rows = len(category)
    online = place == len(cities)
    weights = np.array([city.weight for city in cities])
    seat = rng.choice(len(cities), rows, p=weights / weights.sum())
    city = np.where(online, seat, place).astype(np.int64)
    lat, lon = _scattered(rng, city)
    usual = np.array([kind.risk for kind in categories])[category]
    changes = (rng.random(rows) < _CHANGING_SHARE) & ~online
    atm_branch, atm_city = _machines(customers)
    atm_lat, atm_lon = _scattered(rng, atm_city)
    atm_count = np.bincount(atm_city, minlength=len(cities))
    return Estate(
        merchant_category=category,
        merchant_city=city,
        merchant_lat=lat,
        merchant_lon=lon,
        merchant_online=online,
        merchant_risk=np.round(np.clip(usual * np.exp(0.45 * rng.standard_normal(rows)), 0.01, 0.99), 3),
        first=(np.cumsum(count.ravel()) - count.ravel()).reshape(count.shape),
        count=count,
        change_day=np.where(changes, rng.integers(5, _CHANGES_IN_DAYS, rows), NONE),
        new_category=(category + rng.integers(1, len(categories), rows)) % len(categories),
        atm_branch=atm_branch,
        atm_city=atm_city,
        atm_lat=atm_lat,
        atm_lon=atm_lon,
        atm_first=np.cumsum(atm_count) - atm_count,
        atm_count=atm_count,
    )


def _merchant_counts(customers: int) -> Ints:
    """Merchants by category and place; the last place is at a distance. At least one each, two at home."""
    categories, places = load_categories(), load_places()
    total = max(400, customers / _CUSTOMERS_PER_MERCHANT)
    share = np.array([kind.weight for kind in categories])
    share = np.sqrt(share) / np.sqrt(share).sum()  # rarely used categories have shops too
    weight = np.array([city.weight for city in places.cities])
    least = np.array([2 if city.country == HOME_COUNTRY else 1 for city in places.cities])
    standing = np.rint(total * share[:, None] * (weight / weight.sum())[None, :]).astype(np.int64)
    distant = np.rint(0.5 * total * share * np.array([kind.online for kind in categories])).astype(np.int64)
    return np.concatenate([np.maximum(standing, least), np.maximum(distant, 3)[:, None]], axis=1)


def _machines(customers: int) -> tuple[Ints, Ints]:
    """Branch and city of each cash machine, sorted by city."""
    cities = load_places().cities
    index = {city.name: i for i, city in enumerate(cities)}
    sets = max(1, customers // _CUSTOMERS_PER_ATM_SET)
    machines = [
        (index[branch.city], number)
        for number, branch in enumerate(load_branches())
        for _ in range(branch.atms * sets)
    ]
    abroad = [i for i, city in enumerate(cities) if city.country != HOME_COUNTRY]
    machines += [(city, NONE) for city in abroad for _ in range(_ABROAD_ATMS * sets)]
    city, branch = np.array(sorted(machines), dtype=np.int64).T
    return branch, city


def _scattered(rng: np.random.Generator, city: Ints) -> tuple[Ints, Ints]:
    cities = load_places().cities
    lat0 = np.array([place.lat for place in cities])[city]
    lon0 = np.array([place.lon for place in cities])[city]
    north, east = rng.standard_normal((2, len(city))) * _SPREAD_KM * MICRO_PER_KM
    return (lat0 * 1e6 + north).astype(np.int64), (lon0 * 1e6 + east / np.cos(np.deg2rad(lat0))).astype(
        np.int64
    )
