"""A small world of two feeds, for what has to go with any world: tickets sold at quays, and departures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from casper_ray.domain.time import CANONICAL_EPOCH, US_PER_DAY, SimMicros, as_text, sim_micros
from casper_ray.sim.faults.chance import hex_keys
from casper_ray.sim.faults.spec import Faults
from casper_ray.sim.feed import Feed
from casper_ray.sim.landing import render_lines

TICKETS, DEPARTURES = "tickets", "departures"
TICKET_COLUMNS = ("event_id", "event_type", "ts", "quay", "seats")
DEPARTURE_COLUMNS = ("event_id", "ts", "boat")
FEEDS = (
    Feed(name=TICKETS, key="event_id", keys=hex_keys, place="quay", numbers=("seats",), counted="sold"),
    Feed(name=DEPARTURES, key="event_id", keys=hex_keys, place=None, numbers=(), counted=None),
)
_COLUMNS = {TICKETS: TICKET_COLUMNS, DEPARTURES: DEPARTURE_COLUMNS}
_EVERY_US = {TICKETS: 600_000_000, DEPARTURES: 3_600_000_000}


@dataclass(frozen=True, slots=True)
class Timetable:
    """The scenario: only what is told wrongly of it."""

    faults: Faults | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ferries:
    """A ticket every ten minutes, every third of them only asked for; a departure every hour."""

    days: int = 2
    seed: int = 42
    epoch: datetime = CANONICAL_EPOCH
    scenario: Timetable = Timetable()

    @property
    def feeds(self) -> tuple[str, ...]:
        return (TICKETS, DEPARTURES)

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        numbers = range(self._first(feed, from_us), self._first(feed, to_us))
        times = [self._start_us + number * _EVERY_US[feed] for number in numbers]
        ids = [f"E{number * 0x9E37_79B9_7F4A_7C15 % 2**64:016X}" for number in numbers]
        texts = [as_text(SimMicros(us)) for us in times]
        frame = pl.DataFrame({"event_id": ids, "ts": texts, "ts_us": times}, schema_overrides=_TYPES)
        number = pl.Series(list(numbers), dtype=pl.Int64)
        if feed == DEPARTURES:
            return frame.with_columns(boat=pl.struct(pl.lit("Gull").alias("name"), number.alias("trip")))
        return frame.with_columns(
            event_type=pl.when(pl.lit(number % 3) == 0).then(pl.lit("asked")).otherwise(pl.lit("sold")),
            quay=pl.when(pl.lit(number % 2) == 0).then(pl.lit("north")).otherwise(pl.lit("south")),
            seats=number % 4 + 1,
        )

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        return render_lines(events, _COLUMNS[feed])

    def expected_events(self, from_us: int, to_us: int) -> float:
        return sum((to_us - from_us) / every for every in _EVERY_US.values())

    def end_us(self) -> int:
        return self._start_us + self.days * US_PER_DAY

    def digest(self) -> str:
        return f"{self.seed:08x}{self.days:08x}"

    def dimensions(self) -> dict[str, pl.DataFrame]:
        return {"quays": pl.DataFrame({"quay": ["north", "south"], "name": ["North Quay", "South Quay"]})}

    @property
    def _start_us(self) -> int:
        return sim_micros(self.epoch)

    def _first(self, feed: str, instant_us: int) -> int:
        """Number of the first event of a feed at or after the instant."""
        within = min(max(instant_us, self._start_us), self.end_us()) - self._start_us
        return -(-within // _EVERY_US[feed])


_TYPES = {"event_id": pl.String, "ts": pl.String, "ts_us": pl.Int64}
