"""Random streams of the bank, one for each (seed, purpose, shard of customers, day)."""

from __future__ import annotations

import zlib
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

_BANK = zlib.crc32(b"bank")

STREAM_VERSION = 1
"""Part of every stream's key."""


class Purpose(IntEnum):
    """What a stream is for. One purpose's draws cannot move another's."""

    ESTATE = 1
    RATES = 2
    POPULATION = 3
    TRIPS = 4
    PURCHASES = 5
    CASH = 6
    TRANSFERS = 7
    CHANGES = 8
    CASES = 9
    DECK = 10
    SANCTIONS = 11


class Salt(IntEnum):
    """What a hash is for; see `unit`."""

    TRANSACTION = 1
    EVENT = 2
    REFUND = 3
    REFUND_DELAY = 4
    CHARGEBACK = 5
    CHARGEBACK_DELAY = 6
    REVERSAL = 7
    PROCESSING = 8
    COMPLIANCE = 9
    SETTLED = 10
    POSTED = 11
    DUPLICATE = 12
    DUPLICATE_DELAY = 13
    PAYEE = 14
    NAME = 15
    STREET = 16
    PHONE = 17
    DEVICE = 18
    PARTY = 19
    CASE = 20
    CHANGE = 21
    TWO_DAYS = 22
    FALSE_ALARM = 23
    PROFILE = 24
    FAVOURITE = 25
    BANK = 26
    FEED = 27
    TRIP = 28
    LEAVES = 29
    HABIT = 30
    FRIEND = 31
    STANDING = 32
    WORK = 33
    PART = 34
    HOUSE = 35
    REASON = 36


def stream(seed: int, purpose: Purpose, *key: int) -> np.random.Generator:
    """The generator of `purpose` for `key`, e.g. (shard, day)."""
    sequence = np.random.SeedSequence(seed, spawn_key=(_BANK, STREAM_VERSION, int(purpose), *key))
    return np.random.Generator(np.random.PCG64(sequence))


def mixed(words: Words) -> Words:
    """splitmix64's finisher (Steele, Lea and Flood 2014): a bijection of 64 bits."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    scrambled: Words = words ^ (words >> np.uint64(31))
    return scrambled


def hashed(seed: int, salt: Salt, numbers: Ints) -> Words:
    """64 bits for each number, which depend on nothing else: for draws that belong to a thing, not to a day."""
    key = (seed * 0x9E3779B97F4A7C15 + int(salt) * 0xD1B54A32D192ED03) % 2**64
    return mixed(numbers.astype(np.int64).view(np.uint64) ^ np.uint64(key))


def unit(seed: int, salt: Salt, numbers: Ints) -> Floats:
    """A number in [0, 1) for each of `numbers`."""
    share: Floats = (hashed(seed, salt, numbers) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return share


def below(seed: int, salt: Salt, numbers: Ints, bound: int) -> Ints:
    """A whole number below `bound` for each of `numbers`."""
    return (unit(seed, salt, numbers) * bound).astype(np.int64)
