"""What the YAML of configs/bank says: categories, profiles, places, branches and exchange rates."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import Field

from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.spec import Spec

Hours = Literal["day", "evening", "night", "commute", "level"]


class Category(Spec):
    """What cards are used for; amounts are gamma-distributed with `mean_eur` and `shape`."""

    code: str
    mcc: str = Field(pattern=r"^\d{4}$")
    name: str
    risk: float = Field(ge=0, le=1)
    mean_eur: float = Field(gt=0)
    shape: float = Field(gt=0)
    weight: float = Field(gt=0)
    online: float = Field(ge=0, le=1)
    hours: Hours


class AgeBand(Spec):
    """Customers of an age, from and to included, and how they differ: factors."""

    name: str
    from_age: int = Field(alias="from", ge=18)
    to_age: int = Field(alias="to", le=110)
    share: float = Field(gt=0, le=1)
    purchases: float
    cash: float
    online: float
    likes: dict[str, float] = Field(default_factory=dict)


class IncomeBand(Spec):
    """Customers of an income, and what the bank grants them."""

    name: str
    share: float = Field(gt=0, le=1)
    monthly_eur: tuple[float, float]
    amount: float
    credit: float = Field(ge=0, le=1)
    credit_limit_eur: tuple[int, int]
    overdraft_eur: int = Field(ge=0)
    segment: str


class Urbanity(Spec):
    """How a customer lives: how far from the middle of the city, and how that moves habits."""

    name: str
    share: float = Field(gt=0, le=1)
    purchases: float
    cash: float
    spread_km: float = Field(gt=0)
    likes: dict[str, float] = Field(default_factory=dict)


class Country(Spec):
    code: str = Field(pattern=r"^Q[M-Z]$")
    name: str
    currency: str


class City(Spec):
    name: str
    country: str
    lat: float
    lon: float
    weight: float = Field(gt=0)


class Branch(Spec):
    city: str
    name: str
    atms: int = Field(ge=1)


class Rate(Spec):
    """Base currency for one unit on day 0, and the standard deviation of a day's change of its logarithm."""

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    rate: float = Field(gt=0)
    daily_sd: float = Field(ge=0)


class _Categories(Spec):
    categories: tuple[Category, ...] = Field(min_length=1)


class Profiles(Spec):
    ages: tuple[AgeBand, ...] = Field(min_length=1)
    incomes: tuple[IncomeBand, ...] = Field(min_length=1)
    urbanities: tuple[Urbanity, ...] = Field(min_length=1)


class Places(Spec):
    countries: tuple[Country, ...] = Field(min_length=1)
    cities: tuple[City, ...] = Field(min_length=1)


class _Branches(Spec):
    branches: tuple[Branch, ...] = Field(min_length=1)


class Rates(Spec):
    base: str
    source: str
    rates: tuple[Rate, ...] = Field(min_length=1)


@cache
def load_categories() -> tuple[Category, ...]:
    path = configs_dir() / "bank" / "categories.yml"
    return checked(_Categories, load_mapping(path), str(path)).categories


@cache
def load_profiles() -> Profiles:
    path = configs_dir() / "bank" / "profiles.yml"
    return checked(Profiles, load_mapping(path), str(path))


@cache
def load_places() -> Places:
    path = configs_dir() / "bank" / "cities.yml"
    return checked(Places, load_mapping(path), str(path))


@cache
def load_branches() -> tuple[Branch, ...]:
    path = configs_dir() / "bank" / "branches.yml"
    return checked(_Branches, load_mapping(path), str(path)).branches


@cache
def load_rates() -> Rates:
    path = configs_dir() / "bank" / "fx.yml"
    return checked(Rates, load_mapping(path), str(path))
