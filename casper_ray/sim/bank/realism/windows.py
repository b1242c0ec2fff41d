"""Sums over the time before each row, of whatever the rows are grouped by; all rows at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from casper_ray.sim.bank.streams import Floats, Ints


class Line(NamedTuple):
    """Rows in order of entity and time.

    order   the rows' places in that order
    key     entity * span + time, in that order
    """

    order: Ints
    key: Ints
    span: int


def line(entity: Ints, at: Ints) -> Line:
    """Rows of any order, lined up. `at` is from 0; entities may be any whole numbers."""
    span = int(at.max(initial=0)) + 1
    key = _numbered(entity) * span + at
    order = np.argsort(key, kind="stable")
    return Line(order, key[order], span)


def before(rows: Line, values: Ints | NDArray[np.bool_], window: int | None = None) -> Ints:
    """Of each row's entity the sum of `values` at instants before the row's, no longer ago than the window.

    Rules: rows of the same instant do not see each other. A window of None is endless.
    """
    total = np.concatenate([[0], np.cumsum(values[rows.order].astype(np.int64))])
    least = rows.key // rows.span * rows.span
    begins = least if window is None else np.maximum(rows.key - window, least)
    first = np.searchsorted(rows.key, begins, side="left")
    sums = np.empty(len(values), dtype=np.int64)
    sums[rows.order] = total[_earlier(rows)] - total[first]
    return sums


def since(rows: Line, happens: NDArray[np.bool_]) -> Floats:
    """How long before each row its entity last had a row that `happens`, at an earlier instant; NaN: never."""
    told = np.where(happens[rows.order], rows.key, -1)
    latest = np.concatenate([[-1], np.maximum.accumulate(told)])[_earlier(rows)]
    same = (latest >= 0) & (latest // rows.span == rows.key // rows.span)
    gaps = np.empty(len(happens))
    gaps[rows.order] = np.where(same, rows.key - latest, np.nan)
    return gaps


class Firsts(NamedTuple):
    """Of each row: whether its pair had none before, and the time of the pair's first row."""

    new: NDArray[np.bool_]
    began: Ints


def firsts(one: Ints, other: Ints, at: Ints) -> Firsts:
    """When pairs come for the first time. Of rows of one instant one alone is the first."""
    second = _numbered(other)
    rows = line(_numbered(one) * (int(second.max(initial=0)) + 1) + second, at)
    pair = rows.key // rows.span
    begins = np.diff(pair, prepend=-1) != 0
    start = np.maximum.accumulate(np.where(begins, np.arange(len(pair)), 0))
    new, began = np.empty(len(at), dtype=np.bool_), np.empty(len(at), dtype=np.int64)
    new[rows.order], began[rows.order] = begins, at[rows.order][start]
    return Firsts(new, began)


def _earlier(rows: Line) -> Ints:
    """How many rows of the line come before the instant of each; in the line's order."""
    earlier: Ints = np.searchsorted(rows.key, rows.key, side="left")
    return earlier


def _numbered(entity: Ints) -> Ints:
    """Entities as 0, 1, 2 …"""
    return np.unique(entity, return_inverse=True)[1].astype(np.int64)
