"""All that features are worked out from, in memory; and every feature of cases, one or many."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.agents.features.cases import Asked
from casper_ray.agents.features.habits import Habits
from casper_ray.agents.features.places import Places
from casper_ray.agents.features.ties import Ties
from casper_ray.agents.features.velocity import Velocity


class History:
    """What was known of accounts, sorted so that as of an instant is where a slice ends.

    transactions, days: of `coded_transactions` and `coded_days`.
    """

    def __init__(self, transactions: pl.DataFrame, days: pl.DataFrame) -> None:
        rows = transactions.sort("account", "known_us", "happened_us", "number")
        self._parts = (Habits(days), Velocity(rows), Places(rows), Ties(rows))

    def features(self, asked: Asked) -> dict[str, NDArray[np.generic]]:
        """Every feature by name, one place per case: see `answers` for what stands for none."""
        return {name: values for part in self._parts for name, values in part.features(asked).items()}
