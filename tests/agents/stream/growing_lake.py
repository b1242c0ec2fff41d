"""A kitchen's lake that grows window by window, as a replay makes it, run in this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from casper_ray.agents.decision import NOT_CONTENT
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.registry import load_agent
from casper_ray.agents.stream.runner import AgentRunner, Setting
from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS
from casper_ray.domain.time import US_PER_HOUR, SimMicros, as_text, sim_micros
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.runner import Runner
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.landing import render_lines
from casper_ray.sim.scenario import load_scenario
from casper_ray.sim.window import Part, Window, file_name

PIPELINE = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
HOURS = 3
WINDOWS = 12
_FIRST_HOUR = 3
"""Simulated hours a window; so many windows are half of the third day and all before it."""


@dataclass(frozen=True, slots=True)
class GrowingLake:
    catalog: Catalog

    @classmethod
    def at(cls, folder: Path) -> GrowingLake:
        return cls(open_catalog(str(folder), "caspers"))

    @classmethod
    def grown(cls, folder: Path, windows: Iterable[int]) -> GrowingLake:
        lake = cls.at(folder)
        for number in windows:
            lake.grow(number)
        return lake

    def copy(self, folder: Path) -> GrowingLake:
        shutil.copytree(self.catalog.lake, folder)
        return GrowingLake.at(folder)

    @property
    def options(self) -> tuple[str, ...]:
        return ("--lake", str(self.catalog.lake), "--catalog", self.catalog.name)

    @property
    def setting(self) -> Setting:
        return Setting(catalog=self.catalog, agent=load_agent("refund"), engine=PolicyEngine())

    def runner(self) -> AgentRunner:
        return AgentRunner(self.setting)

    def grow(self, number: int, *extra: bytes, without: Iterable[str] = ()) -> None:
        """One window more, in a batch of its own. extra: lines of ours in it; without: ids of events that are not."""
        window = window_of(number)
        lines = [
            line
            for line in world_lines(number)
            if not any(f'"{event}"'.encode() in line for event in without)
        ]
        self.volume.mkdir(parents=True, exist_ok=True)
        name = file_name("r-42", Part(window, 0, window.from_us, window.to_us))
        (self.volume / name).write_bytes(b"".join([*lines, *extra]))
        assert list(Runner(PIPELINE, self.catalog).run_available(window.to_us))

    @property
    def volume(self) -> Path:
        return self.catalog.volume("simulator", "events")

    def decisions(self) -> pl.DataFrame:
        return scan(self.catalog.table("agents", "decisions")).collect()

    def content(self) -> pl.DataFrame:
        """What was decided, without when."""
        return self.decisions().drop(NOT_CONTENT).sort("decision_id")

    def version(self) -> int:
        commits = (self.catalog.table("agents", "decisions") / "_delta_log").glob("*.json")
        return max(int(file.stem) for file in commits)

    def delivered(self) -> list[str]:
        """Orders that were created and delivered, told by Bronze alone."""
        events = scan(self.catalog.table("lakeflow", "all_events")).filter(pl.col("_admission") == "admitted")
        by_type = events.select("order_id", "event_type").collect()
        created, delivered = (
            set(by_type.filter(pl.col("event_type") == kind)["order_id"])
            for kind in ("order_created", "delivered")
        )
        return sorted(created & delivered)


def window_of(number: int) -> Window:
    start = sim_micros(world().epoch) + (_FIRST_HOUR + number * HOURS) * US_PER_HOUR
    return Window(number, SimMicros(start), SimMicros(start + HOURS * US_PER_HOUR))


@cache
def world() -> KitchenWorld:
    return KitchenWorld.build(load_scenario("baseline"), 42, 3)


@cache
def world_lines(number: int) -> tuple[bytes, ...]:
    window = window_of(number)
    text = render_lines(world().events(EVENTS, window.from_us, window.to_us), EVENT_COLUMNS)
    return tuple(text.splitlines(keepends=True))


def line(event_id: str, kind: str, at_us: int, order_id: str, **body: Any) -> bytes:
    """The line of one event of an order at location 1."""
    event = {
        "event_id": event_id,
        "event_type": kind,
        "ts": as_text(SimMicros(at_us)),
        "location_id": 1,
        "order_id": order_id,
        "sequence": 0,
        "body": json.dumps(body),
    }
    return json.dumps(event).encode() + b"\n"


def basket(price: float) -> dict[str, Any]:
    """The body of a creation: one item of a price."""
    item = {
        "id": 1,
        "menu_id": 10,
        "category_id": 7,
        "brand_id": 10,
        "name": "Soup",
        "price": price,
        "qty": 1,
    }
    return {"customer_addr": "1 Quay St", "items": [item]}
