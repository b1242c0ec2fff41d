"""How far a case is from where its account was last, and from where it mostly is."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.agents.features.cases import Asked
from casper_ray.agents.features.index import Ints, Spread, Timeline
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR

PLACES_DAYS: Final = 30
_EARTH_KM = 6371.0088
_LONGEST_US = PLACES_DAYS * US_PER_DAY

Floats = NDArray[np.float64]


class Places:
    """Where an account paid: posted, out, with a place."""

    def __init__(self, rows: pl.DataFrame) -> None:
        placed = rows.filter(pl.col("posted") & pl.col("out") & pl.col("lat").is_not_nan())
        self._known = Timeline(placed["account"].to_numpy(), placed["known_us"].to_numpy())
        self._happened_us = placed["happened_us"].to_numpy()
        self._number = placed["number"].to_numpy()
        self._lat, self._lon = placed["lat"].to_numpy(), placed["lon"].to_numpy()

    def features(self, asked: Asked) -> dict[str, NDArray[np.generic]]:
        """km_from_last, h_from_last, km_from_home: of the places of `PLACES_DAYS`; NaN where there is none."""
        begins = self._known.end(asked.account, asked.when_us - _LONGEST_US)
        found = Spread.of(begins, self._known.end(asked.account, asked.at_us))
        age_us = asked.when_us[found.slice] - self._happened_us[found.place]
        of_another = self._number[found.place] != asked.own[found.slice]
        found = found.where(of_another & (age_us >= 0) & (age_us < _LONGEST_US))
        last = self._last(found, len(asked.account))
        home = [self._median(found, values, len(asked.account)) for values in (self._lat, self._lon)]
        none = last < 0
        lat, lon, happened = (
            np.where(none, np.nan, values[last]) if len(values) else np.full(len(last), np.nan)
            for values in (self._lat, self._lon, self._happened_us)
        )
        return {
            "km_from_last": distance_km(asked.lat, asked.lon, lat, lon),
            "h_from_last": (asked.when_us - happened) / US_PER_HOUR,
            "km_from_home": distance_km(asked.lat, asked.lon, *home),
        }

    def _last(self, found: Spread, slices: int) -> Ints:
        """The place of each slice's row that happened last; of such the one that was known last. -1: none."""
        order = np.lexsort((found.place, self._happened_us[found.place], found.slice))
        last = np.full(slices, -1)
        last[found.slice[order]] = found.place[order]  # of several for one slice the last stays
        return last

    def _median(self, found: Spread, values: Floats, slices: int) -> Floats:
        """Of each slice's values the middle one, or half-way between the middle two; NaN of none."""
        mine = values[found.place]
        ordered = mine[np.lexsort((mine, found.slice))]
        ends = found.ends(slices)
        counts = np.diff(ends)
        if not len(ordered):
            return np.full(slices, np.nan)
        low, high = (
            ordered[np.minimum(ends[:-1] + middle, len(ordered) - 1)]
            for middle in (np.maximum(counts - 1, 0) // 2, counts // 2)
        )
        return np.where(counts > 0, (low + high) / 2, np.nan)


def distance_km(lat: Floats, lon: Floats, other_lat: Floats, other_lon: Floats) -> Floats:
    """Kilometres along the earth taken as a ball (haversine); NaN where a place is unknown."""
    a, b, c, d = (np.radians(degrees) for degrees in (lat, lon, other_lat, other_lon))
    chord = np.sin((c - a) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2) ** 2
    distance: Floats = 2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(chord, 1)))
    return distance
