"""Simulated time: whole microseconds since 1970-01-01 UTC, and days of the dataset."""

from __future__ import annotations

import re
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
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


def duration_s(text: str) -> float | None:
    """Seconds of a duration such as `60s`, `5m`, `1.5h`, `500ms` or `60`; None for what is none, or not above 0."""
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _UNIT_S[match[2]] if match else 0.0
    return seconds if 0 < seconds < float("inf") else None


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
