"""Whether a batch costs more as the tables grow: equal batches in a young lake and in one of 80 days, in turns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median

from pytest_benchmark.fixture import BenchmarkFixture

from casper_ray.cluster import start_ray, stop_ray
from casper_ray.config import load_environment
from casper_ray.lakehouse.names import open_catalog
from casper_ray.medallion.runner import Runner

PIPELINE = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
LINES = 1_000
YOUNG, OLD, DAYS = 5, 80, 10
"""Days that the two lakes have before what is timed, and how many days that is."""


class Lake:
    """A lake that takes the volume's events a batch of `LINES` at a time."""

    def __init__(self, root: Path, volume: Path) -> None:
        catalog = open_catalog(str(root), "caspers")
        self._events = catalog.volume("simulator", "events")
        self._events.mkdir(parents=True)
        self._runner = Runner(PIPELINE, catalog)
        self._days = sorted(volume.iterdir())

    def batches(self, first: int, days: int) -> Iterator[float]:
        """Seconds of each batch of these days."""
        for file in islice(self._days, first, first + days):
            lines = file.read_bytes().splitlines(keepends=True)
            for start in range(0, len(lines) - LINES + 1, LINES):
                path = self._events / f"{file.stem}-{start:06d}.json"
                path.write_bytes(b"".join(lines[start : start + LINES]))
                begun = time.perf_counter()
                assert len(list(self._runner.run_available())) == 1
                yield time.perf_counter() - begun


def test_batches_early_and_late(benchmark: BenchmarkFixture, volume: Path, tmp_path: Path) -> None:
    """Median seconds of batches of 1,000 events in days 80-90, over that in days 5-15; all days as batches.

    One of each after the other: over the minutes that a lake takes to grow a machine does not stay the same.
    """
    start_ray(load_environment())
    young, old = Lake(tmp_path / "young", volume), Lake(tmp_path / "old", volume)
    early, late, before = [], [], []

    def every_batch() -> None:
        before.extend(young.batches(0, YOUNG))
        before.extend(old.batches(0, OLD))
        for one, other in zip(young.batches(YOUNG, DAYS), old.batches(OLD, DAYS), strict=False):
            early.append(one)
            late.append(other)

    try:
        benchmark.pedantic(every_batch, rounds=1)
    finally:
        stop_ray()
    benchmark.extra_info |= {
        "what": "batch of 1,000 events on days 80-90 / days 5-15, in turns",
        "goal": "<= 1.25",
        "batches": len(before) + len(early) + len(late),
        "early_ms": round(1000 * median(early), 1),
        "late_ms": round(1000 * median(late), 1),
        "ratio": median(late) / median(early),
    }
