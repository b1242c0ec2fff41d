"""What comes seldom in a customer's life: trips, new devices, moves, leaving the bank.

Each is a hash of the customer and of a stretch of days, so any day may be asked for without the days before.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from casper_ray.domain.bank import HOME_COUNTRY
from casper_ray.sim.bank.books import load_places
from casper_ray.sim.bank.people import DEVICES_EACH, People, picked
from casper_ray.sim.bank.rows import NONE
from casper_ray.sim.bank.streams import Ints, Salt, unit

_TRIP_PERIOD = 45
_TRIP_CHANCE = 0.16
DEVICE_PERIOD = 700
MOVE_PERIOD = 1_500
_LEAVE_CHANCE = 1 / 20_000
"""A day's chance that a customer closes the account."""
_NEVER = 1 << 30


def away(seed: int, people: People, day: int) -> Ints:
    """The city in which each customer is on a trip, or NONE: 2 to 9 days, once in a period at most."""
    city = np.full(len(people), NONE, dtype=np.int64)
    for period in (day // _TRIP_PERIOD - 1, day // _TRIP_PERIOD):
        key = (people.customer * 4096 + period + 1) * 4
        goes = unit(seed, Salt.TRIP, key) < _TRIP_CHANCE
        start = period * _TRIP_PERIOD + (unit(seed, Salt.TRIP, key + 1) * _TRIP_PERIOD).astype(np.int64)
        length = 2 + (unit(seed, Salt.TRIP, key + 2) ** 1.5 * 8).astype(np.int64)
        there = goes & (start <= day) & (day < start + length)
        city = np.where(there, picked(_trip_weights(), unit(seed, Salt.TRIP, key + 3)), city)
    return np.where(city == people.city, NONE, city)


@cache
def _trip_weights() -> tuple[float, ...]:
    """Abroad twice as often as elsewhere at home, for a weight."""
    return tuple(c.weight * (4.0 if c.country != HOME_COUNTRY else 0.5) for c in load_places().cities)


def device_on(seed: int, people: People, day: int) -> Ints:
    """The customer's own newest device on a day."""
    return people.device + _nth(seed, Salt.DEVICE, people.customer, day, DEVICE_PERIOD) % DEVICES_EACH


def address_on(seed: int, customers: Ints, day: int) -> Ints:
    """How often a customer has moved by a day."""
    return _nth(seed, Salt.STREET, customers, day, MOVE_PERIOD)


def leaves_on(seed: int, customers: Ints) -> Ints:
    """The day on which a customer leaves the bank: nothing happens from then on."""
    chance = unit(seed, Salt.LEAVES, customers)
    day = np.log1p(-chance) / np.log1p(-_LEAVE_CHANCE)
    leaves: Ints = np.minimum(10 + day, _NEVER).astype(np.int64)
    return leaves


def turning_days(seed: int, salt: Salt, customer: int, until: int, period: int) -> range:
    """The days from 1 to `until` on which a customer's period ends, and the next one begins."""
    offset = int(unit(seed, salt, np.array([customer]))[0] * period)
    return range(period - offset, until + 1, period)


def _nth(seed: int, salt: Salt, customers: Ints, day: int, period: int) -> Ints:
    """How many periods have ended since day 0, each customer's beginning somewhere in the first one."""
    offset = (unit(seed, salt, customers) * period).astype(np.int64)
    ended: Ints = (day + offset) // period
    return ended
