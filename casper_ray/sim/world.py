"""What the replay asks of a world, whatever is simulated in it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import polars as pl

from casper_ray.sim.faults.spec import Faults


class Told(Protocol):
    """A scenario, as far as the telling goes."""

    @property
    def faults(self) -> Faults | None: ...


class World(Protocol):
    """A specification small enough to travel to workers: every process sees the same events of it.

    feeds      names of its feeds; each lands in a volume of its own
    days       length of the dataset
    epoch      day 0, 00:00
    """

    @property
    def feeds(self) -> tuple[str, ...]: ...

    @property
    def seed(self) -> int: ...

    @property
    def days(self) -> int: ...

    @property
    def epoch(self) -> datetime: ...

    @property
    def scenario(self) -> Told: ...

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        """A feed's events with from_us <= ts < to_us, one row per event, sorted by time.

        Returns: at least the columns that the feed's declaration names, `ts` (text) and `ts_us` (microseconds since
                 1970-01-01 UTC, whole milliseconds). The same events however windows are cut.
        """
        ...

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        """The events as JSON lines, one an event, in their order; no bytes for no events."""
        ...

    def expected_events(self, from_us: int, to_us: int) -> float:
        """About how many events all feeds have in a window; costs no generation of any."""
        ...

    def end_us(self) -> int:
        """The exclusive end of the data."""
        ...

    def digest(self) -> str:
        """16 hex digits: worlds of the same digest tell the same events."""
        ...

    def dimensions(self) -> dict[str, pl.DataFrame]:
        """The tables that do not change with time, by their names in schema `simulator`."""
        ...
