"""Histograms of amounts that add up, and percentiles read from them."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.medallion.bank.money import units

PER_DECADE = 8
DECADES = 5
BUCKETS = PER_DECADE * DECADES + 2
"""Below 1; eight a decade up to 100,000, each 1.33 times as wide as the one before; and what is above."""


@cache
def bounds() -> NDArray[np.int64]:
    """In cents: bucket i holds amounts from bounds[i - 1] to below bounds[i]."""
    cents: NDArray[np.int64] = np.rint(100 * 10 ** (np.arange(BUCKETS - 1) / PER_DECADE)).astype(np.int64)
    return cents


@cache
def bucket_names() -> tuple[str, ...]:
    """Columns of the buckets, in order."""
    return tuple(f"hist_{place:02d}" for place in range(BUCKETS))


def bucket_of(amount: pl.Expr) -> pl.Expr:
    """The bucket of each amount."""
    edges = pl.lit(pl.Series(bounds()))
    return edges.search_sorted(units(amount).cast(pl.Int64), side="right").cast(pl.Int64)


def percentiles(histograms: pl.DataFrame, shares: tuple[float, ...]) -> pl.DataFrame:
    """Amounts below which so large shares of the counts are: one row per row of `histograms`.

    histograms: the columns of `bucket_names`.
    Returns:    p50, p95 … for shares 0.5, 0.95 …, in BASE_CURRENCY; null where nothing was counted.
    Rules:      evenly spread in the logarithm within a bucket: at most 1.33 times off, as a rule 1.1 times.
    """
    counts = histograms.select(bucket_names()).to_numpy().astype(np.float64)
    total, cumulated = counts.sum(axis=1), counts.cumsum(axis=1)
    rows = np.arange(len(counts))
    low = np.concatenate([[1], bounds()]) / 100
    high = np.concatenate([bounds(), bounds()[-1:] * 10]) / 100
    columns = {}
    for share in shares:
        wanted = share * total
        place = np.argmax(cumulated >= wanted[:, None], axis=1)
        before = cumulated[rows, place] - counts[rows, place]
        within = np.divide(wanted - before, counts[rows, place], out=np.zeros(len(counts)), where=total > 0)
        amounts = low[place] * (high[place] / low[place]) ** within
        columns[f"p{share * 100:g}"] = np.where(total > 0, amounts, np.nan)
    return pl.DataFrame(columns).fill_nan(None)
