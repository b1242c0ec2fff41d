"""Simulated time: whole microseconds since 1970-01-01 UTC, and days of the dataset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NewType

SimMicros = NewType("SimMicros", int)
"""An instant of simulated time: microseconds since 1970-01-01 00:00 UTC."""

US_PER_S = 1_000_000
US_PER_HOUR = 3_600 * US_PER_S
US_PER_DAY = 24 * US_PER_HOUR

CANONICAL_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
"""Day 0, 00:00, of the canonical dataset: a Monday."""

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sim_micros(instant: datetime) -> SimMicros:
    """An aware datetime as simulated time; a naive one is refused."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone")
    return SimMicros((instant - _UNIX_EPOCH) // timedelta(microseconds=1))


def as_datetime(instant: SimMicros) -> datetime:
    """Simulated time as an aware UTC datetime."""
    return _UNIX_EPOCH + timedelta(microseconds=instant)


def as_text(instant: SimMicros) -> str:
    """`YYYY-MM-DD HH:MM:SS.mmm`, the form in which events carry their time."""
    return as_datetime(instant).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
