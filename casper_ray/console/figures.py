"""Numbers as people read them. Every function takes any value and never raises."""

from __future__ import annotations

import math

from casper_ray.domain.time import US_PER_DAY, SimMicros, as_datetime

NONE = "-"


def count(value: float | None) -> str:
    """1,234,567; with a decimal below ten: 3.5."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:,.1f}" if abs(value) < 10 and value != int(value) else f"{value:,.0f}"


def money(cents: int, sign: str = "$") -> str:
    """$1,234.56, from whole cents: no float is involved. sign: of the currency."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{sign}{whole:,}.{rest:02d}"


def duration(seconds: float | None) -> str:
    """0.4 s, 12 s, 3m 05s, 2h 07m, 3d 04h."""
    if seconds is None or not math.isfinite(seconds):
        return NONE
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for size, unit, smaller_size, smaller in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // smaller_size:02d}{smaller}"
    return f"{whole} s"


def lag(milliseconds: float | None) -> str:
    """480 ms, 12 s, 3m 20s."""
    if milliseconds is None or not math.isfinite(milliseconds):
        return NONE
    return f"{milliseconds:.0f} ms" if milliseconds < 9_950 else duration(milliseconds / 1000)


def speed(value: float | None, times: str = "x") -> str:
    """3,600x; - when unknown."""
    return NONE if value is None or not math.isfinite(value) else f"{count(value)}{times}"


def percent(fraction: float) -> str:
    """62%; 100% only when all is done."""
    return f"{math.floor(within(fraction) * 100)}%"


def within(fraction: float) -> float:
    """The fraction, forced into 0..1."""
    return min(max(fraction, 0.0), 1.0) if math.isfinite(fraction) else 0.0


def day(instant_us: int, epoch_us: int) -> int:
    """The day of the dataset; the first is 0."""
    return (instant_us - epoch_us) // US_PER_DAY


def sim_minute(instant_us: int) -> str:
    """2024-03-11 14:32."""
    return as_datetime(SimMicros(instant_us)).strftime("%Y-%m-%d %H:%M")


def one_line(text: str) -> str:
    """The text without line breaks and control characters: it may hold anything a bad line held."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
