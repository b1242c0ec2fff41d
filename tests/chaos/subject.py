"""The lake that the random actions are done to: a real replay, a real pipeline, in this process, without a Ray."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from model import Content
from toy import REFERENCE, ToyWorld

from casper_ray import failpoints
from casper_ray.domain.kitchen import EVENTS
from casper_ray.domain.time import SimMicros, sim_micros
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.batch_report import BatchReport
from casper_ray.medallion.runner import Runner
from casper_ray.sim.clock import ReplayClock
from casper_ray.sim.cursor import Cursor, CursorFile
from casper_ray.sim.lander import Lander
from casper_ray.sim.replay import Replay
from casper_ray.sim.window import Window

EPOCH_US = sim_micros(datetime(2024, 1, 1, tzinfo=UTC))
REPLAY_ID = "toy-1"


class Killed(BaseException):
    """The process died here; what it held in memory is gone."""


def die() -> None:
    raise Killed


class Subject:
    """One lake, and the process that works on it; `reopen` is a new process on the same lake."""

    def __init__(self, folder: Path) -> None:
        self.catalog: Catalog = open_catalog(str(folder), "caspers")
        self.volume = self.catalog.volume("simulator", "events")
        self.volume.mkdir(parents=True, exist_ok=True)
        self.world = ToyWorld(EPOCH_US)
        self.wall_s = 0.0
        self.reopen()

    def reopen(self) -> None:
        """A new process: nothing is remembered but what is on disk."""
        failpoints.disarm()
        file = CursorFile(self.catalog.state / "replay" / "cursor.json")
        cursor = file.load() or Cursor(
            replay_id=REPLAY_ID,
            position_us=EPOCH_US,
            next_window=0,
            live_from_us=EPOCH_US,
            started_wall_us=0,
        )
        self.replay = Replay(file, cursor, epoch_us=EPOCH_US, expected_events=self.world.expected_events)
        self.lander = Lander(self.world, {EVENTS: self.volume}, REPLAY_ID, self.world.expected_events)
        if cursor.pending:
            self._land(cursor.pending)
        self.clock = ReplayClock(self.position_us, 600.0, lambda: self.wall_s)
        self.runner = Runner(REFERENCE, self.catalog)

    @property
    def position_us(self) -> SimMicros:
        return self.replay.cursor.position_us

    def advance(self, wall_s: float) -> None:
        """The clock runs on, and what has come due lands."""
        self.wall_s += wall_s
        windows = self.replay.declare(self.clock.position_us())
        if windows:
            self._land(windows)

    def run_pipeline(self) -> list[BatchReport]:
        return list(self.runner.run_available(self.position_us))

    def drop(self, name: str, data: bytes) -> None:
        """A file from elsewhere."""
        (self.volume / f".{name}").write_bytes(data)
        (self.volume / f".{name}").rename(self.volume / name)

    def versions(self) -> dict[str, int]:
        return {name: table.version for name, table in self.runner.tables.items()}

    def content(self) -> Content:
        """What the tables hold, in the model's words."""
        bronze = self._table("all_events").select("event_id", "ts", "_admission")
        silver = self._table("silver_order_items")
        headers = self._table("gold_order_header")
        return Content(
            bronze=Counter(bronze.rows()),
            silver=Counter(
                silver.select("order_id", "location_id", "order_ts", "brand_id", "price", "qty").rows()
            ),
            headers=Counter(headers.select("order_id", "order_day", "order_revenue").rows()),
            brand_days=_sums(self._table("gold_brand_sales_day"), 2, "brand_id", "day"),
            hours=_sums(self._table("gold_location_sales_hourly"), 2, "location_id", "hour_ts"),
            quarantined=self._table("quarantine").height,
        )

    def _land(self, windows: tuple[Window, ...]) -> None:
        for window in windows:
            self.lander.start([window]).wait()
        self.replay.landed()

    def _table(self, name: str) -> pl.DataFrame:
        return scan(self.catalog.table("lakeflow", name)).collect()


def dying(subject: Subject, step: str, hit: int, action: Callable[[], Any]) -> bool:
    """Do `action` and die at `step`; True if it came to that. A new process goes on, and its pipeline recovers."""
    failpoints.arm(step, hit, die)
    try:
        action()
    except Killed:
        subject.reopen()
        return True
    failpoints.disarm()
    return False


def random_step(rng: random.Random) -> str:
    """A place to die at in a batch."""
    table = rng.choice(
        [
            *("all_events", "silver_order_items", "gold_order_header", "gold_brand_sales_day"),
            *("gold_location_sales_hourly", "quarantine", "quality_log", "batches"),
        ]
    )
    return rng.choice(
        ["batch.before_data", "batch.after_data", f"commit.before:{table}", f"commit.after:{table}"]
    )


def _sums(rows: pl.DataFrame, keys: int, *first: str) -> dict[tuple[Any, ...], list[Any]]:
    names = [*first, *(name for name in rows.columns if name not in first)]
    return {row[:keys]: list(row[keys:]) for row in rows.select(names).iter_rows()}
