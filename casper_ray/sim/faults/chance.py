"""Chance as a function: of the seed, what it is for, and what it falls on. No order of calls, no state."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_TO_UNIT = 2.0**-64


def uuid_keys(event_ids: pl.Series) -> NDArray[np.uint64]:
    """48 bits of each event id that is a UUID: ids are random, so their digits are."""
    head = event_ids.str.slice(0, 8).str.to_integer(base=16, dtype=pl.UInt64)
    tail = event_ids.str.slice(9, 4).str.to_integer(base=16, dtype=pl.UInt64)
    return (head * 65_536 + tail).to_numpy()


def hex_keys(event_ids: pl.Series) -> NDArray[np.uint64]:
    """48 bits of each event id that is a letter and random hexadecimal digits."""
    return event_ids.str.slice(1, 12).str.to_integer(base=16, dtype=pl.UInt64).to_numpy()


def place_key(place: int | str) -> int:
    """What a place's chance falls on: its number, or a number of its name."""
    return place if isinstance(place, int) else zlib.crc32(place.encode())


def chances(keys: NDArray[Any], seed: int, purpose: str) -> Floats:
    """A number in [0, 1) for each key: the same for the same seed and purpose, in every process and version."""
    salt = np.uint64((seed * 0x9E37_79B9_7F4A_7C15 + zlib.crc32(purpose.encode())) % 2**64)
    with np.errstate(over="ignore"):
        mixed = keys.astype(np.uint64) + salt
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
        mixed ^= mixed >> np.uint64(31)
    unit: Floats = np.minimum(mixed * _TO_UNIT, np.nextafter(1.0, 0.0))
    return unit


def chance(key: int, seed: int, purpose: str) -> float:
    """`chances` of one key."""
    return float(chances(np.array([key], np.uint64), seed, purpose)[0])
