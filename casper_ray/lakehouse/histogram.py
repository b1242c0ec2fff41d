"""Histograms of amounts that add up, and what is read from their sums."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

PER_DECADE = 8
DECADES = 5
BUCKETS = PER_DECADE * DECADES + 2
"""Below 1; eight a decade up to 100,000, each 1.33 times as wide as the one before; and what is above."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@cache
def bounds() -> Ints:
    """In cents: bucket i holds amounts from bounds[i - 1] to below bounds[i]."""
    cents: Ints = np.rint(100 * 10 ** (np.arange(BUCKETS - 1) / PER_DECADE)).astype(np.int64)
    return cents


@cache
def _widths() -> tuple[Floats, Floats]:
    """Where each bucket begins, in the currency's unit, and how many times as large its end is."""
    low = np.concatenate([[1], bounds()]) / 100
    high = np.concatenate([bounds(), bounds()[-1:] * 10]) / 100
    return low, high / low


@cache
def bucket_names() -> tuple[str, ...]:
    """Columns of the buckets, in order."""
    return tuple(f"hist_{place:02d}" for place in range(BUCKETS))


def bucket_of(cents: pl.Expr) -> pl.Expr:
    """The bucket of each amount; cents: whole numbers."""
    edges = pl.lit(pl.Series(bounds()))
    return edges.search_sorted(cents.cast(pl.Int64), side="right").cast(pl.Int64)


def percentiles(histograms: pl.DataFrame, shares: tuple[float, ...]) -> pl.DataFrame:
    """Amounts below which so large shares of the counts are: one row per row of `histograms`.

    histograms: the columns of `bucket_names`.
    Returns:    p50, p95 … for shares 0.5, 0.95 …, in BASE_CURRENCY; null where nothing was counted.
    Rules:      evenly spread in the logarithm within a bucket: at most 1.33 times off, as a rule 1.1 times.
    """
    counts = histograms.select(bucket_names()).to_numpy().astype(np.float64)
    columns = {f"p{share * 100:g}": amounts_at(counts, share) for share in shares}
    return pl.DataFrame(columns).fill_nan(None)


def amounts_at(counts: Floats, share: float) -> Floats:
    """The amount of each row below which `share` of its counts are; NaN where nothing was counted.

    counts: one row per histogram, one column per bucket.
    """
    cumulated = counts.cumsum(axis=1)
    total, rows = cumulated[:, -1], np.arange(len(counts))
    wanted = share * total
    place = np.argmax(cumulated >= wanted[:, None], axis=1)
    here = counts[rows, place]
    within = np.divide(
        wanted - (cumulated[rows, place] - here), here, out=np.zeros(len(counts)), where=total > 0
    )
    low, widths = _widths()
    return np.where(total > 0, low[place] * widths[place] ** within, np.nan)


def shares_below(counts: Floats, cents: Ints) -> Floats:
    """The share of each row's counts that is below its amount: the inverse of `amounts_at`.

    Returns: 0 to 1; NaN where nothing was counted.
    """
    cumulated, rows = counts.cumsum(axis=1), np.arange(len(counts))
    place = np.searchsorted(bounds(), cents, side="right")
    low, widths = _widths()
    within = np.log(np.maximum(cents, 1) / 100 / low[place]) / np.log(widths[place])
    here = counts[rows, place]
    below = cumulated[rows, place] - here + here * np.clip(within, 0, 1)
    total = cumulated[:, -1]
    found: Floats = np.divide(below, total, out=np.full(len(counts), np.nan), where=total > 0)
    return found
