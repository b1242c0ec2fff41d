"""Generating and landing 90 days, against writing the same finished rows with polars."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import polars as pl
from pytest_benchmark.fixture import BenchmarkFixture

from casper_ray.cluster import start_ray, stop_ray
from casper_ray.config import load_environment
from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS
from casper_ray.domain.time import US_PER_DAY, SimMicros, sim_micros
from casper_ray.main_job.domains.kitchen import FEEDS
from casper_ray.sim.faults.told import ToldWorld
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.lander import Lander
from casper_ray.sim.scenario import load_scenario
from casper_ray.sim.window import Window

ROUNDS = 5


def test_generating_and_landing(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Ours: streets, orders, events, lines, flushed files, by two workers; theirs: one call of `write_ndjson`."""
    start_ray(load_environment())
    world = KitchenWorld.build(load_scenario("baseline"), 42)
    told, start = ToldWorld(world, FEEDS), sim_micros(world.epoch)
    finished = world.events(EVENTS, start, world.end_us()).select(EVENT_COLUMNS)
    windows = [
        Window(day, SimMicros(start + day * US_PER_DAY), SimMicros(start + (day + 1) * US_PER_DAY))
        for day in range(world.days + 1)
    ]
    writing: list[float] = []
    folders = iter(range(100))

    def land() -> None:
        folder = tmp_path / f"volume-{next(folders)}"
        lander = Lander(told, {EVENTS: folder}, "bench", world.expected_events)
        landed = lander.start(windows).wait()
        assert sum(window.events for window in landed) == finished.height

    try:
        land()
        benchmark.pedantic(land, setup=lambda: writing.append(_written_s(finished, tmp_path)), rounds=ROUNDS)
    finally:
        stop_ray()
    benchmark.extra_info |= {
        "what": "generate and land 90 days / polars writing the finished rows",
        "goal": "<= 4",
        "polars_write_s": writing,
        "events": finished.height,
        "ratio": median(a / b for a, b in zip(benchmark.stats.stats.data, writing, strict=True)),
    }


def _written_s(finished: pl.DataFrame, folder: Path) -> float:
    begun = time.perf_counter()
    finished.write_ndjson(folder / "finished.ndjson")
    return time.perf_counter() - begun
