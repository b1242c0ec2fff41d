"""How often and how much of late: counts and sums of the last hour, day and week."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.agents.features.cases import Asked
from casper_ray.agents.features.index import Spread, Timeline, totals
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR

WINDOWS_US: Final = {"1h": US_PER_HOUR, "24h": US_PER_DAY, "7d": 7 * US_PER_DAY}
_LONGEST_US = max(WINDOWS_US.values())


class Velocity:
    """An account's transactions by when they were known."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._known = Timeline(rows["account"].to_numpy(), rows["known_us"].to_numpy())
        self._happened_us, self._cents = rows["happened_us"].to_numpy(), rows["cents"].to_numpy()
        self._number = rows["number"].to_numpy()
        posted, out = rows["posted"].to_numpy(), rows["out"].to_numpy()
        self._is = {"out": posted & out, "in": posted & ~out}
        self._declined = ~posted

    def features(self, asked: Asked) -> dict[str, NDArray[np.generic]]:
        """out_count_*, out_amount_*, in_count_*, in_amount_* (cents) of each window, and declined_24h.

        Nothing happens after it is known: what happened in a window was known after it began, so the slice of what
        was known from then to the case holds all of it, and nothing of the future.
        """
        begins = self._known.end(asked.account, asked.when_us - _LONGEST_US)
        found = Spread.of(begins, self._known.end(asked.account, asked.at_us))
        found = found.where(self._number[found.place] != asked.own[found.slice])
        age_us = asked.when_us[found.slice] - self._happened_us[found.place]
        ends, cents = found.ends(len(asked.account)), self._cents[found.place]
        features: dict[str, NDArray[np.generic]] = {}
        for way, moves in self._is.items():
            for name, window_us in WINDOWS_US.items():
                counts = moves[found.place] & (age_us >= 0) & (age_us < window_us)
                features[f"{way}_count_{name}"] = totals(counts.astype(np.int64), ends)
                features[f"{way}_amount_{name}"] = totals(np.where(counts, cents, 0), ends)
        declined = self._declined[found.place] & (age_us >= 0) & (age_us < WINDOWS_US["24h"])
        features["declined_24h"] = totals(declined.astype(np.int64), ends)
        return features
