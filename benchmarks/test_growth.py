"""Whether a batch costs more as the tables grow: equal batches early and late in a lake of 90 days."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from pytest_benchmark.fixture import BenchmarkFixture

from casper_ray.cluster import start_ray, stop_ray
from casper_ray.config import load_environment
from casper_ray.lakehouse.names import open_catalog
from casper_ray.medallion.runner import Runner

PIPELINE = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
LINES = 1_000


def test_batches_early_and_late(benchmark: BenchmarkFixture, volume: Path, tmp_path: Path) -> None:
    """Median seconds of batches of 1,000 events in days 80-90, over that in days 5-15; all days as batches."""
    start_ray(load_environment())
    catalog = open_catalog(str(tmp_path), "caspers")
    events = catalog.volume("simulator", "events")
    events.mkdir(parents=True)
    runner = Runner(PIPELINE, catalog)
    seconds: dict[int, list[float]] = {}

    def every_batch() -> None:
        for day, file in enumerate(sorted(volume.iterdir())):
            lines = file.read_bytes().splitlines(keepends=True)
            for first in range(0, len(lines) - LINES + 1, LINES):
                (events / f"{file.stem}-{first:06d}.json").write_bytes(b"".join(lines[first : first + LINES]))
                begun = time.perf_counter()
                assert len(list(runner.run_available())) == 1
                seconds.setdefault(day, []).append(time.perf_counter() - begun)

    try:
        benchmark.pedantic(every_batch, rounds=1)
    finally:
        stop_ray()
    early = [s for day in range(5, 15) for s in seconds[day]]
    late = [s for day in range(80, 90) for s in seconds[day]]
    benchmark.extra_info |= {
        "what": "batch of 1,000 events on days 80-90 / days 5-15",
        "goal": "<= 1.25",
        "batches": sum(map(len, seconds.values())),
        "early_ms": round(1000 * median(early), 1),
        "late_ms": round(1000 * median(late), 1),
        "ratio": median(late) / median(early),
    }
