"""Columns of text made from numbers without touching a row in Python."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_MS_PER_DAY = 86_400_000
_TIMESTAMP = np.dtype([("date", "S10"), ("time", "S10"), ("milli", "S3")])


def fixed_width(letters: Bytes) -> pl.Series:
    """A string column from a matrix of ASCII codes, one row a string."""
    rows, width = letters.shape
    if rows == 0:
        return pl.Series(dtype=pl.String)
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int64)
    flat = np.ascontiguousarray(letters)
    array = pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(flat))
    return pl.Series(array)


def letters_of(words: list[str]) -> Bytes:
    """Equally long ASCII words as a matrix of codes."""
    return np.frombuffer("".join(words).encode("ascii"), dtype=np.uint8).reshape(len(words), -1)


@cache
def digits(width: int) -> Bytes:
    """Codes of 0, 1, 2, ... with leading zeros, as many as `width` digits can tell."""
    return letters_of([f"{n:0{width}d}" for n in range(10**width)])


@cache
def _times_of_day() -> NDArray[np.bytes_]:
    """` HH:MM:SS.` of each second of a day."""
    clock = [f" {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}." for s in range(86_400)]
    return np.array(clock, dtype="S10")


def timestamps(unix_ms: Ints) -> pl.Series:
    """`YYYY-MM-DD HH:MM:SS.mmm` of milliseconds since 1970-01-01 UTC; for instants not far apart."""
    letters = np.empty(len(unix_ms), dtype=_TIMESTAMP)
    day, ms = np.divmod(unix_ms, _MS_PER_DAY)
    second, milli = np.divmod(ms, 1000)
    first = int(day.min()) if len(day) else 0
    days = np.arange(first, int(day.max(initial=first)) + 1)
    letters["date"] = days.astype("datetime64[D]").astype("S10")[day - first]
    letters["time"] = _times_of_day()[second]
    letters["milli"] = digits(3).view("S3").ravel()[milli]
    return fixed_width(letters.view(np.uint8).reshape(len(unix_ms), letters.itemsize))


def degrees(micro: Ints) -> pl.Series:
    """Millionths of a degree as decimal numbers with six digits after the point."""
    whole, part = np.divmod(np.abs(micro), 1_000_000)
    floor = np.where(micro < 0, -1 - whole, whole)
    low, high = (int(floor.min()), int(floor.max())) if len(floor) else (0, 0)
    heads = [f"{v}." if v >= 0 else f"-{-1 - v}." for v in range(low, high + 1)]
    which = floor - low
    if len({len(head) for head in heads}) > 1:  # e.g. around 100 degrees: texts of several widths
        tails = pl.Series(part).cast(pl.String).str.zfill(6)
        return pl.Series(heads).gather(which) + tails
    width = len(heads[0])
    letters = np.empty(len(micro), dtype=[("head", f"S{width}"), ("high", "S3"), ("low", "S3")])
    letters["head"] = np.array(heads, dtype=f"S{width}")[which]
    thousands = digits(3).view("S3").ravel()
    letters["high"], letters["low"] = thousands[part // 1000], thousands[part % 1000]
    return fixed_width(letters.view(np.uint8).reshape(len(micro), letters.itemsize))


def joined(words: pl.Series, start: Ints) -> pl.Series:
    """Words of each group start[g] .. start[g + 1] - 1, joined by commas."""
    group = np.repeat(np.arange(len(start) - 1), np.diff(start))
    frame = pl.DataFrame({"group": group, "word": words})
    return frame.group_by("group", maintain_order=True).agg(pl.col("word").str.join(","))["word"]
