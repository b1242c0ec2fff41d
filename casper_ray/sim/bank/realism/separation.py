"""How well one column alone tells crimes from the rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from casper_ray.sim.bank.realism.as_of import FEATURES
from casper_ray.sim.bank.realism.transactions import is_decided
from casper_ray.sim.bank.streams import Floats

_CODES = (
    "kind",
    "channel",
    "instrument",
    "currency",
    "category",
    "party_kind",
    "purpose",
    "result",
    "weekday",
)
_NOTHING = -1.0
"""Stands for null, below all values: that there is nothing tells something too."""


class Rule(NamedTuple):
    """The best rule that looks at the amount alone: from so many cents on, or up to so many."""

    f1: float
    cents: int
    at_least: bool


def column_aucs(frame: pl.DataFrame) -> dict[str, float]:
    """Of each column of `as_of` how well it alone orders crimes and the rest, the best first; 0.5 is not at all.

    Rules: of the two directions the better one. Codes are put in order of how often each is a crime among the other
           half of the customers: among the same ones it would be no finding. Transactions only that somebody
           decides on.
    """
    rows = frame.filter(is_decided(frame))
    crime = rows["is_crime"].to_numpy()
    found = {name: auc(_ordered(rows, name), crime) for name in (*FEATURES, "result")}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def auc(values: Floats, crime: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, in the better direction."""
    ranks = rankdata(values)[crime]
    area = (ranks.sum() - len(ranks) * (len(ranks) + 1) / 2) / (len(ranks) * (~crime).sum())
    return float(max(area, 1 - area))


def amount_rule(frame: pl.DataFrame) -> Rule:
    """The threshold on the amount with the best F1 for crimes, of all thresholds and both directions."""
    rows = frame.filter(is_decided(frame))
    sums = (
        rows.group_by("cents")
        .agg(crimes=pl.col("is_crime").sum(), rows=pl.len())
        .sort("cents")
        .with_columns(pl.col("crimes", "rows").cast(pl.Int64))
    )
    cents, crimes, count = (sums[name].to_numpy() for name in ("cents", "crimes", "rows"))
    best = Rule(0.0, 0, True)
    for at_least in (True, False):
        step = -1 if at_least else 1
        caught, flagged = np.cumsum(crimes[::step]), np.cumsum(count[::step])
        f1 = 2 * caught / (crimes.sum() + flagged)
        top = int(f1.argmax())
        if f1[top] > best.f1:
            best = Rule(float(f1[top]), int(cents[::step][top]), at_least)
    return best


def _ordered(rows: pl.DataFrame, name: str) -> Floats:
    """A column as numbers that can be ordered."""
    values = pl.col(name).cast(pl.Float64).fill_null(_NOTHING)
    if name not in _CODES:
        return rows.select(values).to_series().to_numpy()
    half = rows.select(values.alias("code"), "is_crime", half=pl.col("customer") % 2)
    rates = half.group_by("code", half=1 - pl.col("half")).agg(rate=pl.col("is_crime").mean())
    joined = half.join(rates, on=["code", "half"], how="left", maintain_order="left")
    return joined["rate"].fill_null(0.0).to_numpy()
