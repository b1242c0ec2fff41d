"""Ways to tell the same events: when each line arrives, how often, and in which files. Pure, given a generator.

Events carry `happened_us`, their true time, and once they are told `arrival_us`. An event may arrive up to the
watermark's three hours after its time and still counts. Files hold stretches of arrival time, so no file holds
anything that is further than that behind what was in the files before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from casper_ray.domain.time import US_PER_HOUR, as_text

LATENESS_US = 3 * US_PER_HOUR
_SKEW_US = US_PER_HOUR

Arrivals = Callable[[np.random.Generator, pl.DataFrame, int], pl.DataFrame]
"""Lines in the order in which they arrive. The number: microseconds that an event may be behind its time, at most."""


def in_order(rng: np.random.Generator, events: pl.DataFrame, longest_us: int) -> pl.DataFrame:
    """Each event as it happens."""
    return _arriving(events, np.zeros(events.height, np.int64))


def shuffled(rng: np.random.Generator, events: pl.DataFrame, longest_us: int) -> pl.DataFrame:
    """Each event some time after it happened, so that they overtake each other across files and batches."""
    return _arriving(events, rng.integers(0, longest_us, events.height))


def outage(rng: np.random.Generator, events: pl.DataFrame, longest_us: int) -> pl.DataFrame:
    """Some locations are always as far behind as may be, to the millisecond; the others are not."""
    places = events["location_id"].unique().sort().to_numpy()
    behind = rng.choice(places, max(1, len(places) // 2), replace=False)
    return _arriving(events, np.where(np.isin(events["location_id"].to_numpy(), behind), longest_us, 0))


def doubled(rng: np.random.Generator, events: pl.DataFrame, longest_us: int) -> pl.DataFrame:
    """Each line as it happens, and once more some time later."""
    later = rng.integers(0, longest_us, events.height)
    return _arriving(pl.concat([events, events]), np.concatenate([np.zeros_like(later), later]))


def everything(rng: np.random.Generator, events: pl.DataFrame, longest_us: int) -> pl.DataFrame:
    """Each line twice, both some time after it happened; of some locations, both as late as may be."""
    twice = pl.concat([events, events])
    delays = rng.integers(0, longest_us, twice.height)
    place = int(rng.choice(events["location_id"].unique().sort().to_numpy()))
    return _arriving(twice, np.where(twice["location_id"].to_numpy() == place, longest_us, delays))


def mixed(rng: np.random.Generator, files: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The same files, the lines of each in any order."""
    return [file[rng.permutation(file.height)] for file in files]


def skewed(rng: np.random.Generator, events: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The events as locations tell them whose clocks are up to an hour fast or slow, still in the order in which they
    happened; and the microseconds that the fastest and the slowest clock are apart. Whole milliseconds.
    """
    places = events["location_id"].unique().sort()
    offsets_us = rng.integers(-_SKEW_US // 1000, _SKEW_US // 1000, len(places)) * 1000
    offset = pl.col("location_id").replace_strict(places, offsets_us, return_dtype=pl.Int64)
    moved = events.with_columns(pl.col("ts_us") + offset)
    told = moved.with_columns(pl.Series("ts", [as_text(us) for us in moved["ts_us"]]))
    return told, int(offsets_us.max() - offsets_us.min())


def _arriving(events: pl.DataFrame, delay_us: np.ndarray) -> pl.DataFrame:
    arrival_us = pl.Series("arrival_us", events["happened_us"].to_numpy() + delay_us)
    return events.with_columns(arrival_us).sort("arrival_us", maintain_order=True)
