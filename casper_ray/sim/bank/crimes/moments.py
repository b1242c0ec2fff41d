"""When things happen in a case: milliseconds since the start of day 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from casper_ray.sim.bank.streams import Floats, Ints

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

NOON_MS, SPREAD_MS = 13 * HOUR_MS, 20_000_000
"""The fraud detection handbook's time of day: normal with a standard deviation of 20,000 s, here about 13:00."""
NIGHT_MS, NIGHT_LASTS_MS = 22 * HOUR_MS, 6 * HOUR_MS
"""Sparkov's hours of fraud, 22:00 to 04:00. It puts 80 % there, which would give fraud away by the hour alone."""


def on_days(chance: np.random.Generator, days: Any, count: int, night: float = 0.0) -> Ints:
    """`count` moments on `days` (one or each its own), a share of them in the night that follows."""
    day = (NOON_MS + SPREAD_MS * chance.standard_normal(count)) % DAY_MS
    late = NIGHT_MS + NIGHT_LASTS_MS * chance.random(count)
    within = np.where(chance.random(count) < night, late, day).astype(np.int64)
    moments: Ints = np.asarray(days, dtype=np.int64) * DAY_MS + within
    return moments


def over_days(chance: np.random.Generator, first: int, lasts: int, count: int, night: float = 0.0) -> Ints:
    """`count` moments, in order, on the `lasts` days from `first` on; one of them on the first day."""
    days = first + chance.integers(0, lasts, count)
    days[0] = first
    return np.sort(on_days(chance, days, count, night))


def later(chance: np.random.Generator, after: Any, low_h: float, high_h: float) -> Ints:
    """For each moment of `after` one that is low_h to high_h hours later, the short waits as likely as the long."""
    start = np.atleast_1d(np.asarray(after, dtype=np.int64))
    wait = np.exp(chance.uniform(np.log(low_h), np.log(high_h), len(start)))
    return start + (wait * HOUR_MS).astype(np.int64)


def hops(chance: np.random.Generator, first: Ints, count: int, low_h: float, high_h: float) -> Ints:
    """`count` moments: the first one, and each of the others low_h to high_h hours after the one before."""
    at = [first]
    for _ in range(count - 1):
        at.append(later(chance, at[-1], low_h, high_h))
    return np.concatenate(at)


def burst(chance: np.random.Generator, start: int, count: int, lasts_h: float) -> Ints:
    """`count` moments, in order, within the `lasts_h` hours from `start` on; the first one is the start."""
    gaps: Floats = chance.random(count) * lasts_h * HOUR_MS
    gaps[0] = 0
    return start + np.sort(gaps).astype(np.int64)
