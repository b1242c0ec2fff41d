"""Incidents of a scenario: where and when something goes wrong, and what it does there."""

from __future__ import annotations

import zlib
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from casper_ray.spec import Spec

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MS_PER_MINUTE = 60_000
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 86_400_000

_LONGEST_HOURS = 48.0


class Incident(Spec):
    """A window (locations, days, hours of those days) and its effects on the orders created in it.

    locations          ids; none named: every location
    days               first and last day of the dataset, both included
    hours              from, until; may run past midnight (22, 26)
    recovery_hours     after each window the effects fade linearly over this long
    demand_factor      orders come this much more often
    kitchen_factor     the kitchen's stages take this much longer
    closed             the kitchen stands still; orders in it wait
    driver_wait_minutes  mean additional wait for a driver, ready to picked up
    overload_slowdown  the kitchen slows by this share for each 100 % above its usual peak
    """

    name: str = Field(min_length=1)
    locations: tuple[int, ...] = ()
    days: tuple[int, int]
    hours: tuple[float, float] = (0.0, 24.0)
    recovery_hours: float = Field(default=0.0, ge=0, le=24)
    demand_factor: float = Field(default=1.0, gt=0, le=20)
    kitchen_factor: float = Field(default=1.0, ge=0.2, le=10)
    closed: bool = False
    driver_wait_minutes: float = Field(default=0.0, ge=0, le=180)
    overload_slowdown: float = Field(default=0.0, ge=0, le=5)

    @model_validator(mode="after")
    def _window_makes_sense(self) -> Self:
        if not 0 <= self.days[0] <= self.days[1]:
            raise ValueError(f"incident {self.name!r}: days must rise from 0, saw {list(self.days)}")
        if not 0 <= self.hours[0] < self.hours[1] <= _LONGEST_HOURS:
            raise ValueError(f"incident {self.name!r}: hours must rise within 0-48, saw {list(self.hours)}")
        if self.closed and self.hours[1] - self.hours[0] > 12:
            raise ValueError(f"incident {self.name!r}: a kitchen closes for 12 hours at most")
        return self

    def touches(self, location_id: int) -> bool:
        return not self.locations or location_id in self.locations

    def stream_key(self) -> int:
        """What this incident's random draws are keyed by: its name, wherever it stands in a scenario."""
        return zlib.crc32(self.name.encode())


class Window(NamedTuple):
    """An interval of dataset time: milliseconds since day 0, 00:00."""

    start_ms: int
    end_ms: int


def windows(incident: Incident, day: int) -> list[Window]:
    """The incident's windows that can matter to orders created on `day`."""
    first, last = max(incident.days[0], day - 3), min(incident.days[1], day + 1)
    start, end = (round(hour * MS_PER_HOUR) for hour in incident.hours)
    return [Window(d * MS_PER_DAY + start, d * MS_PER_DAY + end) for d in range(first, last + 1)]


def strength(incident: Incident, at_ms: Ints, day: int) -> Floats:
    """How strongly the incident acts at each instant: 1 inside a window, fading to 0 after it."""
    level = np.zeros(len(at_ms))
    fade_ms = incident.recovery_hours * MS_PER_HOUR
    for start, end in windows(incident, day):
        inside = ((at_ms >= start) & (at_ms < end)).astype(np.float64)
        if fade_ms:
            fading = np.clip(1.0 - (at_ms - end) / fade_ms, 0.0, 1.0)
            inside = np.where(at_ms >= end, fading, inside)
        level = np.maximum(level, inside)
    return level
