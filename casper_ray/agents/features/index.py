"""Sorted numbers: what was known of a group by an instant is a slice, and a search finds its end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.uint64]
NEVER_US = np.iinfo(np.int64).max


class Timeline:
    """Rows of groups, sorted by group and instant. `end` is where the future of a group begins.

    One search over all rows: instants are replaced by their ranks, so that group and rank fit into one number.
    """

    def __init__(self, groups: Ints, instants: Ints) -> None:
        self._instants = np.unique(instants)
        self._stride = len(self._instants) + 1
        ranks = np.searchsorted(self._instants, instants)
        self._keys = groups.astype(np.int64) * self._stride + ranks

    def end(self, groups: Ints, until: Ints) -> Ints:
        """The place after each group's last row that is not later than `until`."""
        ranks = np.searchsorted(self._instants, until, side="right")
        return np.searchsorted(self._keys, groups * self._stride + ranks)

    def begin(self, groups: Ints) -> Ints:
        """The place of each group's first row."""
        return np.searchsorted(self._keys, groups * self._stride)


class Spread(NamedTuple):
    """Slices written out: for each row of each slice the slice's number, and the row's place."""

    slice: Ints
    place: Ints

    @classmethod
    def of(cls, begins: Ints, ends: Ints) -> Spread:
        lengths = np.maximum(ends - begins, 0)
        slices = np.repeat(np.arange(len(lengths)), lengths)
        offsets = begins - (np.cumsum(lengths) - lengths)
        return cls(slices, np.arange(len(slices)) + offsets[slices])

    def where(self, holds: Bools) -> Spread:
        return Spread(self.slice[holds], self.place[holds])

    def ends(self, slices: int) -> Ints:
        """Where each slice's rows begin among the rows, and at the end where the last one's end: slices + 1."""
        return np.searchsorted(self.slice, np.arange(slices + 1))


class Pairs:
    """Which account dealt with what, and since when it was known.

    Of each pair the two earliest instants are kept and whose the first is: enough to leave any one transaction out.
    """

    def __init__(self, accounts: Ints, others: Ints, known_us: Ints, numbers: Numbers) -> None:
        self._stride = int(others.max(initial=0)) + 1
        keys = accounts.astype(np.int64) * self._stride + others
        order = np.lexsort((numbers, known_us, keys))
        keys, known_us, numbers = keys[order], known_us[order], numbers[order]
        firsts = np.flatnonzero(np.diff(keys, prepend=-1))
        after = np.minimum(firsts + 1, max(len(keys) - 1, 0))
        again = (after > firsts) & (keys[after] == keys[firsts])
        self._keys, self._first_us, self._number = keys[firsts], known_us[firsts], numbers[firsts]
        self._second_us = np.where(again, known_us[after], NEVER_US)
        others = self._keys % self._stride
        order = np.lexsort((self._first_us, others))
        self._by_other = Timeline(others[order], self._first_us[order])

    def dealt(self, accounts: Ints, others: Ints, at_us: Ints, own: Numbers) -> Bools:
        """Whether the account had dealt with the other by then, its `own` transaction left out."""
        first, second, is_own = self._pair(accounts, others, own)
        return np.where(is_own, second, first) <= at_us

    def degree(self, accounts: Ints, others: Ints, at_us: Ints, own: Numbers) -> Ints:
        """How many accounts had dealt with the other by then, the account's `own` transaction left out."""
        others = self._valid(others)
        known = self._by_other.end(others, at_us) - self._by_other.begin(others)
        first, second, is_own = self._pair(accounts, others, own)
        found: Ints = known - (is_own & (first <= at_us) & (second > at_us))
        return found

    def _pair(self, accounts: Ints, others: Ints, own: Numbers) -> tuple[Ints, Ints, Bools]:
        others = self._valid(others)
        keys = np.where((accounts < 0) | (others < 0), -1, accounts * self._stride + others)
        if not len(self._keys):
            never = np.full(len(keys), NEVER_US)
            return never, never, np.zeros(len(keys), np.bool_)
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        there = self._keys[place] == keys
        first, second = (np.where(there, kept[place], NEVER_US) for kept in (self._first_us, self._second_us))
        return first, second, there & (self._number[place] == own) & (own != 0)

    def _valid(self, others: Ints) -> Ints:
        """Codes that no pair has are larger than the stride allows: they would be another account's."""
        valid: Ints = np.where(others < self._stride, others, -1)
        return valid


def totals(values: Ints, ends: Ints) -> Ints:
    """Sums of consecutive rows, exact; `ends`: of `Spread.ends`."""
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)])
    found: Ints = sums[ends[1:]] - sums[ends[:-1]]
    return found
