"""The world as it is told: events late, twice, out of order, with wrong times, in broken lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.domain.time import US_PER_HOUR, sim_micros
from casper_ray.sim.faults.chance import chance, chances, place_key
from casper_ray.sim.faults.lines import broken_lines
from casper_ray.sim.faults.spec import Faults
from casper_ray.sim.feed import Feed
from casper_ray.sim.text import timestamps
from casper_ray.sim.world import World

_US_PER_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class ToldWorld:
    """A world and its faults; small enough to travel. Windows are of when things are told.

    Each fault of an event is a function of the seed and the event's id, so what is told does not depend on how
    windows are cut; every event is told at least once.
    """

    world: World
    feeds: tuple[Feed, ...]
    faults: Faults | None = None

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        """What a feed tells with from_us <= instant < to_us, in the order of the telling.

        Returns: the world's columns; ts_us is the instant of the telling, `ts` what the event says of its time.
        """
        if self.faults is None:
            return self.world.events(feed, from_us, to_us)
        spec = self._feed(feed)
        happened = self.world.events(feed, from_us - self.faults.longest_delay_us, to_us)
        told = self._told(happened, spec).filter(pl.col("ts_us").is_between(from_us, to_us, closed="left"))
        told = told.sort("ts_us", spec.key, maintain_order=True)
        return self._skewed(told, spec.place) if self.faults.clock_skew and spec.place else told

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        """The feed's events as lines, some of them broken."""
        lines = self.world.lines(feed, events)
        if self.faults is None or (self.faults.malformed is None and self.faults.drift is None):
            return lines
        epoch_us = sim_micros(self.world.epoch)
        return broken_lines(lines, events, self._feed(feed), self.faults, self.world.seed, epoch_us)

    def counted(self, feed: str, events: pl.DataFrame) -> int:
        """How many of the feed's events are of the kind that the domain counts."""
        counted = self._feed(feed).counted
        return int((events["event_type"] == counted).sum()) if counted else 0

    def end_us(self) -> int:
        """The exclusive end of what is told."""
        return self.world.end_us() + (self.faults.longest_delay_us if self.faults else 0)

    def _feed(self, name: str) -> Feed:
        return next(feed for feed in self.feeds if feed.name == name)

    def _told(self, happened: pl.DataFrame, feed: Feed) -> pl.DataFrame:
        """Every telling of what happened, `ts_us` being its instant."""
        faults, keys = self.faults, feed.keys(happened[feed.key])
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

    def _skewed(self, told: pl.DataFrame, place: str) -> pl.DataFrame:
        """Times as the places' clocks say them; the instant of the telling stays."""
        if told.is_empty():
            return told
        places = told[place].unique().drop_nulls().to_list()
        shift_us = pl.col(place).replace_strict(
            {p: self._skew_us(p) for p in places}, default=0, return_dtype=pl.Int64
        )
        said = told.select((_own_time(told["ts"]) + shift_us).alias("said"))["said"]
        return told.with_columns(timestamps(said.to_numpy() // 1000).alias("ts"))

    def _skew_us(self, place: int | str) -> int:
        skew = self.faults.clock_skew if self.faults else None
        assert skew is not None
        by_lot = (2 * chance(place_key(place), self.world.seed, "clock skew") - 1) * skew.max_hours
        return round(skew.hours.get(place, by_lot) * US_PER_HOUR / 1000) * 1000

    def _chances(self, keys: NDArray[np.uint64], purpose: str) -> NDArray[np.float64]:
        return chances(keys, self.world.seed, purpose)


def _delayed(events: pl.DataFrame, minutes: NDArray[np.float64]) -> pl.DataFrame:
    """The events told so many minutes later, to the millisecond."""
    later_us = (minutes * _US_PER_MINUTE / 1000).astype(np.int64) * 1000
    return events.with_columns(pl.col("ts_us") + pl.Series(later_us))


def _own_time(ts: pl.Series) -> pl.Series:
    return ts.str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="us").cast(pl.Int64)
