"""Percentiles of many windows of one row of values, exact."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

SHARES: Final = (0.50, 0.75, 0.99)
_FEW: Final = 100
"""Up to so many windows are sorted one by one: all windows together cost what there are values."""

_Floats = NDArray[np.float64]
_Places = NDArray[np.int64]


def window_percentiles(values: _Floats, first: _Places, last: _Places) -> _Floats:
    """The P50, P75 and P99 of `values[first:last]`, for each window.

    Returns: one row per window, NaN where it is empty. A percentile is a value that there is: the nearest rank
             from below, so no two implementations differ in its last digits.
    """
    found = np.full((len(first), len(SHARES)), np.nan)
    filled = np.flatnonzero(last > first)
    first, last = first[filled], last[filled]
    nth = np.maximum(0, np.ceil(np.outer(last - first, SHARES)).astype(np.int64) - 1)
    if len(filled) <= _FEW:
        for row, start, stop, places in zip(filled, first, last, nth, strict=True):
            found[row] = np.sort(values[start:stop])[places]
    else:
        starts, stops = np.repeat(first, len(SHARES)), np.repeat(last, len(SHARES))
        found[filled] = nth_of_windows(values, starts, stops, nth.ravel()).reshape(-1, len(SHARES))
    return found


def nth_of_windows(values: _Floats, first: _Places, last: _Places, nth: _Places) -> _Floats:
    """The `nth` least, from 0, of `values[first:last]`; windows in any order, none empty.

    The values' ranks are told apart bit by bit, the highest first, as in a wavelet matrix: ranks whose bit is 0 move
    to the front, all in their order, so what was one window stays one, of the half in which the wanted rank is.
    """
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.arange(len(values))
    wanted = np.zeros(len(nth), np.int64)
    for bit in reversed(range(len(values).bit_length())):
        low = (ranks >> bit & 1) == 0
        lows = np.concatenate([[0], np.cumsum(low)])
        first_low, last_low = lows[first], lows[last]
        here = last_low - first_low
        high = nth >= here
        first = np.where(high, lows[-1] + first - first_low, first_low)
        last = np.where(high, lows[-1] + last - last_low, last_low)
        nth = np.where(high, nth - here, nth)
        wanted |= high.astype(np.int64) << bit
        ranks = np.concatenate([ranks[low], ranks[~low]])
    return values[order[wanted]]
