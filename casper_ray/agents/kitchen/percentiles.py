"""Percentiles of a moving window, exact, for one window or for many."""

from __future__ import annotations

from bisect import bisect_left, insort
from functools import cache
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHARES: Final = (0.50, 0.75, 0.99)


def window_percentiles(
    values: NDArray[np.float64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The P50, P75 and P99 of `values[first:last]`, for each window.

    first, last: places, neither falling from window to window.
    Returns:     one row per window, NaN where it is empty. A percentile is a value that there is: the nearest rank
                 from below, so no two implementations differ in its last digits.
    """
    found = np.full((len(first), len(SHARES)), np.nan)
    inside: list[float] = []
    begin = end = 0
    listed = values.tolist()
    rows: list[int] = []
    told: list[tuple[float, float, float]] = []
    for row, (start, stop) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if start >= end:
            inside, begin, end = [], start, start
        while begin < start:
            del inside[bisect_left(inside, listed[begin])]
            begin += 1
        if not inside and stop > end:
            inside = sorted(listed[end:stop])
            end = stop
        while end < stop:
            insort(inside, listed[end])
            end += 1
        if inside:
            count = len(inside)
            rows.append(row)
            places = _places(count)
            told.append((inside[places[0]], inside[places[1]], inside[places[2]]))
    found[rows] = np.array(told, np.float64).reshape(-1, len(SHARES))
    return found


@cache
def _places(count: int) -> tuple[int, int, int]:
    """Where in `count` sorted values the percentiles stand."""
    first, second, third = (max(0, ceil(share * count) - 1) for share in SHARES)
    return first, second, third
