"""The world as it is told: events late, twice, out of order, with wrong times, in broken lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.domain.time import US_PER_HOUR, sim_micros
from casper_ray.sim.faults.chance import chance, chances, event_keys
from casper_ray.sim.faults.lines import broken_lines
from casper_ray.sim.faults.spec import Faults
from casper_ray.sim.landing import render_lines
from casper_ray.sim.text import timestamps

_US_PER_MINUTE = 60_000_000


class World(Protocol):
    """What is asked of a world."""

    @property
    def seed(self) -> int: ...

    @property
    def epoch(self) -> datetime: ...

    def events(self, from_us: int, to_us: int) -> pl.DataFrame: ...

    def expected_orders(self, from_us: int, to_us: int) -> float: ...

    def end_us(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ToldWorld:
    """A world and its faults; small enough to travel. Windows are of when things are told.

    Each fault of an event is a function of the seed and the event's id, so what is told does not depend on how
    windows are cut; every event is told at least once.
    """

    world: World
    faults: Faults | None = None

    def events(self, from_us: int, to_us: int) -> pl.DataFrame:
        """What is told with from_us <= instant < to_us, in the order of the telling.

        Returns: the world's columns; ts_us is the instant of the telling, `ts` what the event says of its time.
        """
        if self.faults is None:
            return self.world.events(from_us, to_us)
        happened = self.world.events(from_us - self.faults.longest_delay_us, to_us)
        told = self._told(happened).filter(pl.col("ts_us").is_between(from_us, to_us, closed="left"))
        told = told.sort("ts_us", "event_id", maintain_order=True)
        return self._skewed(told) if self.faults.clock_skew else told

    def lines(self, events: pl.DataFrame) -> bytes:
        """The events as lines, some of them broken."""
        if self.faults is None or (self.faults.malformed is None and self.faults.drift is None):
            return render_lines(events)
        return broken_lines(events, self.faults, self.world.seed, sim_micros(self.world.epoch))

    def expected_orders(self, from_us: int, to_us: int) -> float:
        return self.world.expected_orders(from_us, to_us)

    def end_us(self) -> int:
        """The exclusive end of what is told."""
        return self.world.end_us() + (self.faults.longest_delay_us if self.faults else 0)

    def _told(self, happened: pl.DataFrame) -> pl.DataFrame:
        """Every telling of what happened, `ts_us` being its instant."""
        faults, keys = self.faults, event_keys(happened["event_id"])
        assert faults is not None
        delay = np.zeros(happened.height)
        if faults.shuffled:
            delay += self._chances(keys, "shuffled") * faults.shuffled.minutes
        if faults.late:
            least, most = faults.late.minutes
            late = self._chances(keys, "late") < faults.late.rate
            delay += late * (least + self._chances(keys, "how late") * (most - least))
        told = _delayed(happened, delay)
        if not faults.duplicates:
            return told
        twice = self._chances(keys, "duplicates") < faults.duplicates.rate
        again = delay + self._chances(keys, "when again") * faults.duplicates.minutes
        return pl.concat([told, _delayed(happened.filter(twice), again[twice])])

    def _skewed(self, told: pl.DataFrame) -> pl.DataFrame:
        """Times as the locations' clocks say them; the instant of the telling stays."""
        places = told["location_id"].unique().to_list()
        shift_us = pl.col("location_id").replace_strict(
            {p: self._skew_us(p) for p in places}, return_dtype=pl.Int64
        )
        said = told.select((_own_time(told["ts"]) + shift_us).alias("said"))["said"]
        return told.with_columns(timestamps(said.to_numpy() // 1000).alias("ts")) if told.height else told

    def _skew_us(self, location_id: int) -> int:
        skew = self.faults.clock_skew if self.faults else None
        assert skew is not None
        by_lot = (2 * chance(location_id, self.world.seed, "clock skew") - 1) * skew.max_hours
        return round(skew.hours.get(location_id, by_lot) * US_PER_HOUR / 1000) * 1000

    def _chances(self, keys: NDArray[np.uint64], purpose: str) -> NDArray[np.float64]:
        return chances(keys, self.world.seed, purpose)


def _delayed(events: pl.DataFrame, minutes: NDArray[np.float64]) -> pl.DataFrame:
    """The events told so many minutes later, to the millisecond."""
    later_us = (minutes * _US_PER_MINUTE / 1000).astype(np.int64) * 1000
    return events.with_columns(pl.col("ts_us") + pl.Series(later_us))


def _own_time(ts: pl.Series) -> pl.Series:
    return ts.str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="us").cast(pl.Int64)
