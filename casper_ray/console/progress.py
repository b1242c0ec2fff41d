"""What a run tells its watchers: snapshots while it goes, a summary when it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from casper_ray.domain.time import SimMicros, as_datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """A table as of its latest commit. `name`: schema.table."""

    name: str
    rows: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The business's own words: what it counts (`orders`), where (`locations`), what comes in (`revenue`) and in
    which currency (`$`, before the figure; or empty), and over which `period` (`hour`) it is told.
    """

    counted: str
    places: str
    amount: str
    currency_sign: str
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceState:
    """A place's business so far. `recent`: what was counted in each of the last periods, oldest first."""

    name: str
    counted: int
    amount_cents: int
    recent: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Milliseconds of wall time from due to committed; None while nothing was measured."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run at one moment.

    `phase`: starting, simulating the world, catching up, live, paused, finishing. `speed_asked`: None is max.
    `fraction`: 0..1 toward whichever goal, None if there is none. `goal_text`: the goal in words.
    """

    phase: str
    sim_now_us: int
    sim_from_us: int
    goal_us: int | None
    epoch_us: int
    speed_asked: float | None
    speed_reached: float | None
    events: int
    events_per_s: float
    lag: Lag
    wall_s: float
    batches: int
    quarantined: int
    tables: tuple[TableState, ...]
    places: tuple[PlaceState, ...]
    words: Words
    note: str
    fraction: float | None
    goal_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run that ended. `next_steps`: (command, what it does); `counted`: how many of what `counted_as` says."""

    replay_id: str
    domain: str
    events: int
    counted: int
    counted_as: str
    sim_from_us: int
    sim_to_us: int
    wall_s: float
    events_per_s: float
    lag: Lag
    batches: int
    duplicates: int
    late: int
    quarantined: int
    tables: tuple[TableState, ...]
    lake: str
    catalog: str
    ended: str
    next_steps: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """The object that --json prints. Its keys are a contract (see the JSON summary there)."""
        return {
            "replay_id": self.replay_id,
            "domain": self.domain,
            "events": self.events,
            self.counted_as: self.counted,
            "sim_from": _iso(self.sim_from_us),
            "sim_to": _iso(self.sim_to_us),
            "wall_s": _rounded(self.wall_s, 3),
            "events_per_s": _rounded(self.events_per_s, 1),
            "lag_ms": {
                "p50": _rounded(self.lag.p50_ms, 1),
                "p95": _rounded(self.lag.p95_ms, 1),
                "p99": _rounded(self.lag.p99_ms, 1),
            },
            "batches": self.batches,
            "duplicates": self.duplicates,
            "late": self.late,
            "quarantined": self.quarantined,
            "tables": {t.name: {"version": t.version, "rows": t.rows} for t in self.tables},
            "lake": self.lake,
            "catalog": self.catalog,
            "ended": self.ended,
        }


class Watcher(Protocol):
    """Who is told about a run: entered first, `started` once, and `finished` once unless the run fails.

    Calls come from one thread. None of them waits for the terminal's repainting.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def started(self, title: str) -> None: ...

    def progressed(self, progress: Progress) -> None: ...

    def noted(self, text: str) -> None: ...

    def finished(self, summary: Summary) -> None: ...


def _iso(instant_us: int) -> str:
    return as_datetime(SimMicros(instant_us)).isoformat().replace("+00:00", "Z")


def _rounded(value: float | None, digits: int) -> float | None:
    """The value for JSON, which knows neither NaN nor infinity."""
    return round(value, digits) if value is not None and math.isfinite(value) else None
