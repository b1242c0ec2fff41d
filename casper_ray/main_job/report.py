"""What a run tells its watcher, and other processes that ask for its status."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field
from typing import Any

from casper_ray.config import DEFAULT_CATALOG, DEFAULT_CATALOGS, DEFAULT_LAKE
from casper_ray.console.progress import Progress, Summary, TableState, Watcher
from casper_ray.domain.time import US_PER_DAY, SimMicros, as_text, sim_micros
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan
from casper_ray.main_job.domains.domain import Domain
from casper_ray.main_job.figures import LagHistogram, Pace, PlaceFigures
from casper_ray.main_job.identity import Identity
from casper_ray.main_job.options import JobOptions
from casper_ray.medallion.batch_report import BatchReport
from casper_ray.medallion.runner import Runner
from casper_ray.sim.clock import ReplayClock, Stretch
from casper_ray.sim.lander import Landed


@dataclass(slots=True, kw_only=True)
class Reporter:
    """Counts of one run. names: of places. sim_from_us: where simulated time stood when it began."""

    watcher: Watcher
    catalog: Catalog
    domain: Domain[Any]
    identity: Identity
    options: JobOptions
    names: dict[Any, str]
    runner: Runner | None
    started_s: float
    sim_from_us: SimMicros
    end_us: float
    _events: int = field(init=False, default=0)
    _counted: int = field(init=False, default=0)
    _batches: int = field(init=False, default=0)
    _counts: dict[str, int] = field(init=False, default_factory=dict)
    _note: str = field(init=False, default="")
    _lags: LagHistogram = field(init=False, default_factory=LagHistogram)
    _pace: Pace = field(init=False, default_factory=Pace)
    _live_since_s: float | None = field(init=False, default=None)
    _places: PlaceFigures = field(init=False)

    def __post_init__(self) -> None:
        self._counts = {"duplicates": 0, "late": 0, "quarantined": 0}
        places = self.domain.places
        self._places = PlaceFigures(places, self.names)
        if self.runner:
            columns = (places.place, places.instant, places.counted, places.amount)
            self._places.add(scan(self.runner.tables[places.table].path).select(columns).collect())

    def landed(self, landed: list[Landed]) -> None:
        self._events += sum(window.events for window in landed)
        self._counted += sum(window.counted for window in landed)

    def committed(self, report: BatchReport) -> None:
        self._batches += 1
        for name, count in (
            ("duplicates", report.counts.duplicate),
            ("late", report.counts.late),
            ("quarantined", report.quarantined),
        ):
            self._counts[name] += count
        if report.quarantined and self.runner:
            quarantine = f"{self.runner.pipeline.schema}.quarantine"
            self.noted(f"{report.quarantined:,} rows were set aside: see {quarantine}")
        if (rows := report.partials.get(self.domain.places.table)) is not None:
            self._places.add(rows)

    def lagged(self, landed: list[Landed], stretch: Stretch, committed_s: float) -> None:
        for window in landed:
            self._lags.add(window, stretch, committed_s)

    def went_live(self) -> None:
        self._live_since_s = time.monotonic()
        self._pace.restart()

    def noted(self, text: str) -> None:
        self._note = text
        self.watcher.noted(text)

    def show(self, phase: str, position_us: SimMicros, clock: ReplayClock) -> dict[str, Any]:
        """Tell the watcher how things stand; returns the same for `casper replay status`."""
        now_s = time.monotonic()
        self._pace.mark(now_s, position_us, self._events)
        asked = None if math.isinf(clock.speed) else clock.speed
        progress = Progress(
            phase=phase,
            sim_now_us=position_us,
            sim_from_us=self.sim_from_us,
            goal_us=None if math.isinf(self.end_us) else int(self.end_us),
            epoch_us=sim_micros(self.identity.epoch),
            speed_asked=asked,
            speed_reached=self._pace.speed(),
            events=self._events,
            events_per_s=self._pace.events_per_s(),
            lag=self._lags.lag(),
            wall_s=now_s - self.started_s,
            batches=self._batches,
            quarantined=self._counts["quarantined"],
            tables=self.tables(),
            places=self._places.states(),
            words=self.domain.words,
            note=self._note,
            fraction=self._fraction(position_us, now_s),
            goal_text=self._goal_text(),
        )
        self.watcher.progressed(progress)
        return _status(progress)

    def finish(self, ended: str, position_us: SimMicros) -> Summary:
        """The summary of the run, told to the watcher and returned."""
        wall_s = time.monotonic() - self.started_s
        summary = Summary(
            replay_id=self.identity.replay_id,
            domain=self.identity.domain,
            events=self._events,
            counted=self._counted,
            counted_as=self.domain.words.counted,
            sim_from_us=self.sim_from_us,
            sim_to_us=position_us,
            wall_s=wall_s,
            events_per_s=self._events / wall_s,
            lag=self._lags.lag(),
            batches=self._batches,
            duplicates=self._counts["duplicates"],
            late=self._counts["late"],
            quarantined=self._counts["quarantined"],
            tables=self.tables(),
            lake=self.options.lake,
            catalog=self.catalog.name,
            ended=ended,
            next_steps=_next_steps(self.domain, self.options),
        )
        self.watcher.finished(summary)
        return summary

    def tables(self) -> tuple[TableState, ...]:
        if self.runner is None:
            return ()
        return tuple(
            TableState(name=f"{self.runner.pipeline.schema}.{name}", rows=table.rows, version=table.version)
            for name, table in self.runner.tables.items()
        )

    def _fraction(self, position_us: SimMicros, now_s: float) -> float | None:
        """Toward whichever goal comes first: the simulated one, or the wall time that was asked for."""
        shares = []
        if not math.isinf(self.end_us) and self.end_us > self.sim_from_us:
            shares.append((position_us - self.sim_from_us) / (self.end_us - self.sim_from_us))
        if self.options.for_s is not None and self._live_since_s is not None:
            shares.append((now_s - self._live_since_s) / self.options.for_s)
        return min(1.0, max(shares)) if shares else None

    def _goal_text(self) -> str:
        goals = []
        if not math.isinf(self.end_us):
            day = (self.end_us - sim_micros(self.identity.epoch)) / US_PER_DAY
            goals.append(f"day {day:.4g}")
        if self.options.for_s is not None:
            goals.append(f"{self.options.for_s:g} s live")
        return " or ".join(goals)


def _status(progress: Progress) -> dict[str, Any]:
    return {
        "phase": progress.phase,
        "pid": os.getpid(),
        "simulated": as_text(SimMicros(progress.sim_now_us)),
        "speed_asked": progress.speed_asked,
        "speed_reached": progress.speed_reached,
        "events": progress.events,
        "lag_p95_ms": progress.lag.p95_ms,
    }


def _next_steps(domain: Domain[Any], options: JobOptions) -> tuple[tuple[str, str], ...]:
    lake = "" if options.lake == DEFAULT_LAKE else f" --lake {options.lake}"
    catalog = f" --catalog {options.catalog}"
    for_sim = lake + ("" if options.catalog == DEFAULT_CATALOGS[domain.name] else catalog)
    for_lake = lake + ("" if options.catalog == DEFAULT_CATALOG else catalog)
    return tuple((command.format(sim=for_sim, lake=for_lake), does) for command, does in domain.next_steps)
