"""Order and event ids: random to look at, unique by construction, and made without asking anyone.

36^6 = 2^12 x 3^12, so an order's number is slot x 4096 + n: `n` counts the orders of one location on one
day, and each (location, day) owns a slot below 3^12 = 729 x 729. A balanced Feistel network over two
halves modulo 36^3 then shuffles the numbers, which keeps them unique.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from string import ascii_uppercase
from string import digits as decimal_digits

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.errors import ConfigError
from casper_ray.sim.kitchen.demand import MOST_ORDERS
from casper_ray.sim.kitchen.streams import Purpose, stream
from casper_ray.sim.text import Bytes, fixed_width, letters_of

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_HALF = 36**3
_SLOTS = 3**12
_ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPlan:
    """How the 3^12 slots are shared out: `days` of them for each location."""

    days: int

    def first_number(self, location_index: int, day: int) -> int:
        return (location_index * self.days + day) * MOST_ORDERS


def plan_slots(locations: int, days: int) -> SlotPlan:
    """A split of the slots that holds `locations` x `days`: 729 days each, unless more of one is asked for.

    Raises: ConfigError if there are not enough slots.
    """
    for power in (6, 7, 5, 8, 4, 9, 3, 10, 2, 11, 1, 12, 0):
        if days <= 3**power and locations <= _SLOTS // 3**power:
            return SlotPlan(days=3**power)
    raise ConfigError(
        f"{locations} locations x {days} days: more than six characters can name; "
        f"36^6 ids = {_SLOTS} slots x {MOST_ORDERS} orders, shared as 3^k days x 3^(12-k) locations",
        "up to 729 x 729, 2187 days x 243 locations, or the reverse",
    )


@lru_cache(maxsize=8)
def _round_tables(seed: int) -> Ints:
    return stream(seed, Purpose.ORDER_IDS).integers(0, _HALF, (_ROUNDS, _HALF))


@cache
def _half_letters() -> Bytes:
    """Three characters for each half, in rising order of their bytes."""
    return letters_of(["".join(word) for word in product(decimal_digits + ascii_uppercase, repeat=3)])


def shuffled(seed: int, numbers: Ints) -> Ints:
    """The numbers below 36^6, permuted. In base 36 they are the order ids, and sort like them."""
    left, right = np.divmod(numbers, _HALF)
    for table in _round_tables(seed):
        left, right = right, (left + table[right]) % _HALF
    mixed: Ints = left * _HALF + right
    return mixed


def order_ids(mixed: Ints, loop: int) -> pl.Series:
    """Six characters A-Z0-9 for each shuffled number; from the second loop on with its suffix."""
    left, right = np.divmod(mixed, _HALF)
    letters = np.concatenate([_half_letters()[left], _half_letters()[right]], axis=1)
    if loop:
        suffix = letters_of([f"-L{loop}"])
        letters = np.concatenate([letters, np.repeat(suffix, len(letters), axis=0)], axis=1)
    return fixed_width(letters)


@cache
def _hex_pairs() -> NDArray[np.uint16]:
    return letters_of([f"{byte:02x}" for byte in range(256)]).view(np.uint16).ravel()


def event_ids(seed: int, numbers: Ints, sequence: Ints, loop: int) -> pl.Series:
    """A UUID for each event, mixed from (seed, order number, sequence, loop)."""
    key = (numbers.astype(np.uint64) << np.uint64(32)) | sequence.astype(np.uint64) << np.uint64(20)
    key |= np.uint64(loop)
    salt = np.random.SeedSequence(seed, spawn_key=(0x45564E54,)).generate_state(2, np.uint64)
    high = _mixed(key ^ salt[0])
    low = _mixed(_mixed(key + salt[1]) ^ high)
    words = np.stack([high, low], axis=1).astype(">u8").view(np.uint8)
    words[:, 6] = words[:, 6] & 0x0F | 0x40  # version 4
    words[:, 8] = words[:, 8] & 0x3F | 0x80  # variant of RFC 9562
    pairs = _hex_pairs()[words].view(np.uint8)
    letters = np.full((len(words), 36), ord("-"), dtype=np.uint8)
    start = 0
    for place, width in ((0, 8), (9, 4), (14, 4), (19, 4), (24, 12)):
        letters[:, place : place + width] = pairs[:, start : start + width]
        start += width
    return fixed_width(letters)


def _mixed(words: Words) -> Words:
    """splitmix64's finisher: a bijection of 64 bits."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Words = words ^ (words >> np.uint64(31))
    return mixed
