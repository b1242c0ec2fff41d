"""What a location is: where it stands, how much it sells, which brands cook there, its own stories."""

from __future__ import annotations

from functools import cache
from typing import Self

from pydantic import Field, model_validator

from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.spec import Spec

WEEKDAY_FACTORS = (1.0, 1.05, 1.08, 1.10, 1.25, 1.35, 1.15)
"""Monday to Sunday."""


class BrandShare(Spec):
    """A brand's part in a location's sales, from `start_day` until before `end_day`."""

    brand: int = Field(ge=1)
    weight: float = Field(gt=0)
    start_day: int = 0
    end_day: int | None = None
    monthly_growth: float = Field(default=0.0, ge=-0.9, le=5.0)


class Story(Spec):
    """Something that moves a location's demand on the days from the first to the last named."""

    name: str
    days: tuple[int, int]
    demand_factor: float = Field(gt=0, le=20)


class Location(Spec):
    """A ghost kitchen. Orders a day: base_orders x (1 + daily_growth)^days, while `growth_days` last."""

    id: int = Field(ge=1)
    name: str = Field(min_length=1)
    lat: float = Field(ge=-65, le=65)
    lon: float = Field(ge=-179, le=179)
    base_orders: float = Field(gt=0)
    daily_growth: float = Field(default=0.0, gt=-0.5, lt=0.5)
    growth_days: int = Field(default=90, ge=0)
    opens_day: int = Field(default=0, ge=0)
    weekly_pattern: bool = True
    late_night: bool = False
    brands: tuple[BrandShare, ...] = Field(min_length=1)
    stories: tuple[Story, ...] = ()

    @model_validator(mode="after")
    def _always_sells_something(self) -> Self:
        if not any(share.start_day <= self.opens_day and share.end_day is None for share in self.brands):
            raise ValueError(f"location {self.name!r} needs a brand sold from its first day without end")
        if len({share.brand for share in self.brands}) < len(self.brands):
            raise ValueError(f"location {self.name!r} names a brand twice")
        return self


class _LocationsFile(Spec):
    locations: tuple[Location, ...] = Field(min_length=1)


@cache
def load_locations() -> tuple[Location, ...]:
    """The locations of configs/kitchen/locations.yml, which every scenario starts from."""
    path = configs_dir() / "kitchen" / "locations.yml"
    return checked(_LocationsFile, load_mapping(path), str(path)).locations
