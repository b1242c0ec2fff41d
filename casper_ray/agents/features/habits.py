"""What an account's amounts and hours usually are: sums of its days in Gold."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.agents.features.cases import Asked
from casper_ray.agents.features.index import Timeline
from casper_ray.agents.features.tables import DAY_COUNTS
from casper_ray.domain.time import US_PER_DAY
from casper_ray.lakehouse.histogram import amounts_at, shares_below

PERCENTILES: Final = {"own_p50": 0.5, "own_p95": 0.95, "own_p99": 0.99}
_OUT, _AT_NIGHT, _HISTOGRAM = 0, 1, 2
"""Places in `DAY_COUNTS`; the histogram's columns are last."""


class Habits:
    """Days of accounts, summed from the first on, so that any number of days is one subtraction."""

    def __init__(self, days: pl.DataFrame) -> None:
        days = days.sort("account", "day")
        self._days = Timeline(days["account"].to_numpy(), days["day"].to_numpy())
        # Of all accounts on end: what wraps around in 32 bits comes right again in the difference.
        self._sums = np.zeros((days.height + 1, len(DAY_COUNTS)), np.int32)
        np.cumsum(days.select(DAY_COUNTS).to_numpy(), axis=0, dtype=np.int32, out=self._sums[1:])

    def features(self, asked: Asked) -> dict[str, NDArray[np.generic]]:
        """own_transactions, own_p50, own_p95, own_p99, amount_rank, night_share: of the days before the case's."""
        before = asked.when_us // US_PER_DAY - 1
        counts = (
            self._sums[self._days.end(asked.account, before)] - self._sums[self._days.begin(asked.account)]
        ).astype(np.float64)
        out, histogram = counts[:, _OUT], counts[:, _HISTOGRAM:]
        rank = shares_below(histogram, asked.cents)
        night = np.divide(counts[:, _AT_NIGHT], out, out=np.full(len(out), np.nan), where=out > 0)
        return {
            "own_transactions": out.astype(np.int64),
            **{name: amounts_at(histogram, share) for name, share in PERCENTILES.items()},
            "amount_rank": np.where(asked.cents < 0, np.nan, rank),
            "night_share": night,
        }
