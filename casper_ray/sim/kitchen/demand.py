"""How many orders come, and when in the day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from casper_ray.errors import ConfigError
from casper_ray.sim.kitchen.incidents import MS_PER_DAY, MS_PER_MINUTE, Incident, strength
from casper_ray.sim.kitchen.places import WEEKDAY_FACTORS, Location
from casper_ray.sim.kitchen.streams import Purpose, stream

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MINUTES_PER_DAY = 1_440
MOST_ORDERS = 4_096
"""Orders a location can take in one day: what its slot of order ids holds."""

_NOISE = 0.10
_PEAK_MINUTES = 30


@cache
def minute_shares(late_night: bool) -> Floats:
    """Share of a day's orders in each minute: level, with a lunch and a dinner bump."""
    minute = np.arange(MINUTES_PER_DAY, dtype=np.float64) + 0.5
    weight: Floats = 1.0 + _bump(minute, 11, 13.5, 3.0 - 1.0) + _bump(minute, 17, 20, 3.5 - 1.0)
    if late_night:
        weight += _bump(minute, 21, 24, 2.0 - 1.0) + np.where(minute < 60, 1.0, 0.0)
    shares: Floats = weight / weight.sum()
    return shares


def _bump(minute: Floats, from_hour: float, to_hour: float, height: float) -> Floats:
    share = (minute / 60 - from_hour) / (to_hour - from_hour)
    return np.where((share >= 0) & (share < 1), height * np.sin(np.pi * share) ** 2, 0.0)


def usual_orders(location: Location, days: Ints, epoch: datetime) -> Floats:
    """Expected orders of each day before incidents: growth, weekday and the location's own stories."""
    age = days - location.opens_day
    growth = (1.0 + location.daily_growth) ** np.clip(age, 0, location.growth_days)
    expected = location.base_orders * np.where(age >= 0, growth, 0.0)
    if location.weekly_pattern:
        expected = expected * np.array(WEEKDAY_FACTORS)[(epoch.weekday() + days) % 7]
    for story in location.stories:
        told = (days >= story.days[0]) & (days <= story.days[1])
        expected = np.where(told, expected * story.demand_factor, expected)
    return expected


def minute_orders(location: Location, incidents: Sequence[Incident], day: int, epoch: datetime) -> Floats:
    """Expected orders in each minute of `day`, incidents included, noise not."""
    shares = minute_shares(location.late_night)
    expected = float(usual_orders(location, np.array([day]), epoch)[0]) * shares
    at_ms = day * MS_PER_DAY + np.arange(MINUTES_PER_DAY) * MS_PER_MINUTE
    for incident in incidents:
        if incident.demand_factor != 1.0:
            expected = expected * (1.0 + (incident.demand_factor - 1.0) * strength(incident, at_ms, day))
    return expected


def usual_peak(location: Location, day: int, epoch: datetime) -> float:
    """Expected orders of the busiest half hour of an undisturbed `day`."""
    shares = minute_shares(location.late_night)
    busiest = np.convolve(shares, np.ones(_PEAK_MINUTES), mode="valid").max()
    return float(usual_orders(location, np.array([day]), epoch)[0] * busiest)


def order_times(
    location: Location, incidents: Sequence[Incident], day: int, epoch: datetime, seed: int
) -> Ints:
    """When the orders of `day` are placed: sorted milliseconds since day 0.

    Rules:  the day's level is noisy by up to 10 %; orders of a minute are Poisson.
    Raises: ConfigError if more come than a day has order ids for.
    """
    rng = stream(seed, Purpose.DEMAND, location.id, day)
    noise = rng.uniform(1.0 - _NOISE, 1.0 + _NOISE)
    count = rng.poisson(noise * minute_orders(location, incidents, day, epoch))
    minute = np.repeat(np.arange(MINUTES_PER_DAY), count)
    if len(minute) > MOST_ORDERS:
        raise too_many_orders(location, day, len(minute))
    within = rng.integers(0, MS_PER_MINUTE, len(minute))
    return np.sort(day * MS_PER_DAY + minute * MS_PER_MINUTE + within)


def check_orders_fit(location: Location, incidents: Sequence[Incident], days: int, epoch: datetime) -> None:
    """Raises: ConfigError if some day may bring more orders than it has ids for."""
    expected = usual_orders(location, np.arange(days), epoch)
    for incident in incidents:
        last = incident.days[1] + timedelta(hours=incident.hours[1] + incident.recovery_hours).days
        if incident.demand_factor > 1.0:
            expected[incident.days[0] : last + 1] *= incident.demand_factor
    highest = expected * (1.0 + _NOISE)
    highest = highest + 6.0 * np.sqrt(highest)
    if highest.max() > MOST_ORDERS:
        raise too_many_orders(location, int(highest.argmax()), int(highest.max()))


def too_many_orders(location: Location, day: int, orders: int) -> ConfigError:
    return ConfigError(
        f"location {location.name!r}, day {day}: up to {orders} orders, a location takes {MOST_ORDERS} a day",
        "lower base_orders, growth or demand_factor, or spread the orders over more locations (replicas)",
    )
