"""Shares from batch to batch, in at most `MOST_BINS` bins. Pure."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from casper_ray.medallion.report.figures import committed

MOST_BINS = 100
_POINTS = pl.Schema({"x": pl.Float64(), "y": pl.Float64()})


class Bins(NamedTuple):
    """Batches `first` to `last` in bins of `width` batches each; the last bin may have fewer."""

    first: int
    last: int
    width: int

    @property
    def number(self) -> int:
        return (self.last - self.first) // self.width + 1

    @property
    def of_batch(self) -> pl.Expr:
        """The bin of a row, by its `batch`."""
        return ((pl.col("batch") - self.first) // self.width).alias("bin")


def bins_over(*batches: pl.Series) -> Bins:
    """Bins for every batch that is named. Raises: ValueError if none is."""
    numbers = pl.concat(batches)
    first, last = numbers.min(), numbers.max()
    if not isinstance(first, int) or not isinstance(last, int):
        raise ValueError("no batch to divide into bins")
    return Bins(first, last, -(-(last - first + 1) // MOST_BINS))


def points(rows: pl.DataFrame, bins: Bins, *, part: str, whole: str | None) -> pl.DataFrame:
    """The outline of a step chart.

    Reads:   rows (batch, part, whole).
    Returns: x (the bin's left and right edge; batch n is from n - 0.5 to n + 0.5), y (sum of part / sum of whole;
             without whole part / rows), two rows a bin, by x.
    Rules:   a bin without rows, or without anything to have a part of, has y null: a gap.
    """
    of = pl.len() if whole is None else pl.col(whole).sum()
    each = rows.group_by(bins.of_batch).agg(y=pl.col(part).sum() / of)
    each = pl.DataFrame({"bin": range(bins.number)}).join(each, on="bin", how="left")
    left = bins.first - 0.5 + pl.col("bin") * bins.width
    right = pl.min_horizontal(left + bins.width, pl.lit(bins.last + 0.5))
    y = pl.when(pl.col("y").is_finite()).then("y")
    edges = pl.concat([each.select(x=left, y=y, bin="bin"), each.select(x=right, y=y, bin="bin")])
    return edges.sort("bin", "x").select(pl.col(name).cast(kind) for name, kind in _POINTS.items())


def rule_points(log: pl.DataFrame, bins: Bins) -> dict[tuple[str, str], pl.DataFrame]:
    """(table, rule) -> `points` of the share of its rows that failed, in committed batches."""
    rows = committed(log).with_columns(judged=pl.col("passed") + pl.col("failed"))
    parts = rows.partition_by("table", "rule", as_dict=True)
    return {
        (str(table), str(rule)): points(part, bins, part="failed", whole="judged")
        for (table, rule), part in parts.items()
    }
