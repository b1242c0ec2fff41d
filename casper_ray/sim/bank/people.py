"""Who the customers are: profile, home, income, habits and limits, as numbers.

Everything about a customer is a hash of the seed and the customer's number, so any customers may be asked for,
in any order and in any process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from casper_ray.domain.bank import HOME_COUNTRY
from casper_ray.sim.bank.books import load_branches, load_places, load_profiles
from casper_ray.sim.bank.parties import firm, outside
from casper_ray.sim.bank.streams import Floats, Ints, Salt, unit

PURCHASES_A_DAY = 1.25
"""Of a customer whose factors are all 1."""
PEOPLE_PER_FIRM = 40
EMPLOYED = 0.98
"""Share of people who get a salary, or a pension."""
DEVICES_EACH = 16
"""Numbers kept for each customer's own devices."""
_FIRST_STRANGE_DEVICE = 1_700_000_000
MICRO_PER_KM = 1_000_000 / 111.2
_SALARY_DAYS = np.array([25, 26, 27, 28, 28, 1, 15, 15])
_FIELDS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Arrays of one length, one place per customer.

    customer                 numbers, as asked for
    age, income, urbanity    indexes of the books' profiles
    birth_year               given the years that the age band holds
    city                     index of load_places().cities; branch: of load_branches()
    home_lat, home_lon       millionths of a degree
    salary_cents, salary_day 0: none; day of the month, 1 to 28
    employer, landlord       parties
    rent_cents, rent_day     0: none
    mean_cents               of a purchase in a category of average price
    per_day                  expected purchases a day
    has_credit               whether there is a credit card, with `credit_limit_cents`
    overdraft_cents          how far the current account may fall below 0
    limit_*_cents            a day's sum in the base currency: by card, at ATMs, by transfer
    opening_cents            on the current account before day 0
    device                   number of the first device
    """

    customer: Ints
    age: Ints
    income: Ints
    urbanity: Ints
    birth_year: Ints
    city: Ints
    home_lat: Ints
    home_lon: Ints
    branch: Ints
    salary_cents: Ints
    salary_day: Ints
    employer: Ints
    rent_cents: Ints
    rent_day: Ints
    landlord: Ints
    mean_cents: Ints
    per_day: Floats
    has_credit: NDArray[np.bool_]
    credit_limit_cents: Ints
    overdraft_cents: Ints
    limit_card_cents: Ints
    limit_atm_cents: Ints
    limit_wire_cents: Ints
    opening_cents: Ints
    device: Ints

    def __len__(self) -> int:
        return len(self.customer)


@dataclass(frozen=True, slots=True)
class _Draws:
    """Numbers in [0, 1), one for each customer and field."""

    seed: int
    customers: Ints

    def __call__(self, field: int) -> Floats:
        return unit(self.seed, Salt.PROFILE, self.customers * _FIELDS + field)

    def normal(self, field: int) -> Floats:
        """Standard normal, by Box and Muller; takes this field and the next."""
        radius = np.sqrt(-2 * np.log1p(-self(field)))
        bell: Floats = radius * np.cos(2 * np.pi * self(field + 1))
        return bell


def people(seed: int, customers: Ints) -> People:
    """The customers of these numbers. The same customer is always the same."""
    number = np.asarray(customers, dtype=np.int64)
    draw = _Draws(seed, number)
    books = load_profiles()
    age = picked([band.share for band in books.ages], draw(0))
    income = picked([band.share for band in books.incomes], draw(1))
    urbanity = picked([way.share for way in books.urbanities], draw(2))
    city, branch = _homes(draw)
    lat, lon = _addresses(draw, city, np.array([way.spread_km for way in books.urbanities])[urbanity])
    monthly = _between(np.array([band.monthly_eur for band in books.incomes])[income], draw(8)) * 100
    salary = np.where(draw(9) < EMPLOYED, monthly, 0).astype(np.int64)
    rent = np.where(draw(10) < 0.58, np.minimum(monthly * (0.2 + 0.15 * draw(11)), 250_000), 0)
    has_credit = draw(12) < np.array([band.credit for band in books.incomes])[income]
    credit = _between(np.array([band.credit_limit_eur for band in books.incomes])[income], draw(13))
    factor = np.array([band.amount for band in books.incomes])[income]
    return People(
        customer=number,
        age=age,
        income=income,
        urbanity=urbanity,
        birth_year=_birth_years(age, draw(14)),
        city=city,
        home_lat=lat,
        home_lon=lon,
        branch=branch,
        salary_cents=salary,
        salary_day=_SALARY_DAYS[(draw(15) * len(_SALARY_DAYS)).astype(np.int64)],
        employer=firm(_employers(draw(16), city)),
        rent_cents=_rounded(rent, 1_000),
        rent_day=1 + (draw(17) * 5).astype(np.int64),
        landlord=np.where(draw(18) < 0.5, firm(number // 8 + 10**9), outside(number // 2 + 10**11)),
        mean_cents=(3_200 * factor * np.exp(0.3 * draw.normal(19) - 0.045)).astype(np.int64),
        per_day=_purchases(draw, age, urbanity),
        has_credit=has_credit,
        credit_limit_cents=np.where(has_credit, _rounded(credit * 100, 10_000), 0),
        overdraft_cents=np.array([100 * band.overdraft_eur for band in books.incomes])[income],
        limit_card_cents=np.array([150_000, 250_000, 500_000, 1_000_000])[np.minimum(income, 3)],
        limit_atm_cents=np.array([50_000, 50_000, 100_000, 200_000])[np.minimum(income, 3)],
        limit_wire_cents=np.array([500_000, 1_000_000, 2_500_000, 10_000_000])[np.minimum(income, 3)],
        opening_cents=(monthly * (0.3 + 2.2 * draw(21) ** 2)).astype(np.int64),
        device=number * DEVICES_EACH,
    )


def strange_devices(numbers: Ints) -> Ints:
    """Devices that are no customer's own; alike for numbers that are alike modulo 400 million."""
    return _FIRST_STRANGE_DEVICE + np.asarray(numbers, dtype=np.int64) % 400_000_000


def picked(shares: Sequence[float], chance: Floats) -> Ints:
    """Index of the share that each number in [0, 1) falls into."""
    edges = np.cumsum(shares) / np.sum(shares)
    return np.minimum(np.searchsorted(edges, chance, side="right"), len(shares) - 1).astype(np.int64)


def branch_of(seed: int, customers: Ints) -> Ints:
    """The branch that keeps each customer's account; People.branch without all the rest."""
    return _homes(_Draws(seed, np.asarray(customers, dtype=np.int64)))[1]


@cache
def home_cities() -> Ints:
    """Indexes of the cities at home."""
    cities = load_places().cities
    return np.array([i for i, city in enumerate(cities) if city.country == HOME_COUNTRY], dtype=np.int64)


def _homes(draw: _Draws) -> tuple[Ints, Ints]:
    """City and branch: a branch of the city, or where there is none, any."""
    home, cities = home_cities(), load_places().cities
    city = home[picked([cities[i].weight for i in home], draw(3))]
    names = [branch.city for branch in load_branches()]
    near = [[i for i, name in enumerate(names) if name == place.name] or [0] for place in cities]
    count = np.array([len(found) for found in near], dtype=np.int64)
    table = np.array([[found[i % len(found)] for i in range(max(count))] for found in near])
    return city, table[city, (draw(4) * count[city]).astype(np.int64)]


def _addresses(draw: _Draws, city: Ints, spread_km: Floats) -> tuple[Ints, Ints]:
    lat0 = np.array([place.lat for place in load_places().cities])[city] * 1e6
    lon0 = np.array([place.lon for place in load_places().cities])[city] * 1e6
    step = spread_km / 2 * MICRO_PER_KM
    lat = lat0 + draw.normal(5) * step
    lon = lon0 + draw.normal(22) * step / np.cos(np.deg2rad(lat0 / 1e6))
    return lat.astype(np.int64), lon.astype(np.int64)


def _employers(chance: Floats, city: Ints) -> Ints:
    """Firms of a city, the first ones large."""
    return city * 10_000 + (chance**2 * 10_000 / PEOPLE_PER_FIRM).astype(np.int64)


def _birth_years(age: Ints, chance: Floats) -> Ints:
    bands = np.array([(band.from_age, band.to_age + 1) for band in load_profiles().ages])[age]
    return 2023 - _between(bands, chance).astype(np.int64)


def _purchases(draw: _Draws, age: Ints, urbanity: Ints) -> Floats:
    """Expected purchases a day: by age and place, and people differ (log-normal, mean 1)."""
    books = load_profiles()
    by_age = np.array([band.purchases for band in books.ages])[age]
    by_place = np.array([way.purchases for way in books.urbanities])[urbanity]
    own: Floats = np.clip(np.exp(0.55 * draw.normal(24) - 0.15), 0.05, 4.0)
    expected: Floats = PURCHASES_A_DAY * by_age * by_place * own
    return expected


def _between(ranges: NDArray[np.generic], chance: Floats) -> Floats:
    low, high = ranges[:, 0].astype(np.float64), ranges[:, 1].astype(np.float64)
    drawn: Floats = low + (high - low) * chance
    return drawn


def _rounded(cents: Floats, step: int) -> Ints:
    return (cents / step).astype(np.int64) * step
