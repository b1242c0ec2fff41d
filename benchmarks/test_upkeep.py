"""What reading Gold costs after ten thousand small batches and the upkeep, against Gold freshly built."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

import polars as pl
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from casper_ray.lakehouse.keep import optimized, vacuumed
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.runner import Runner

PIPELINE = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
BATCHES = int(os.environ.get("CASPER_BENCH_BATCHES", "10000"))
LINES, READS = 100, 21
GOLD = (
    "gold_order_header",
    "gold_item_sales_day",
    "gold_brand_sales_day",
    "gold_location_sales_hourly",
    "gold_location_brand_day",
    "gold_location_peak_hours",
)


@pytest.mark.slow
def test_reading_gold_after_many_batches(benchmark: BenchmarkFixture, volume: Path, tmp_path: Path) -> None:
    """Median milliseconds to read the six Gold tables whole, after the upkeep, over that of the same tables freshly
    built: by the pipeline, from the same files, in one batch. Read in turn, so that a slow machine hits both.

    The upkeep is the runner's own compaction on the way, then `optimize` and `vacuum` as once the retention is over.
    """
    catalog = open_catalog(str(tmp_path / "lake"), "caspers")
    benchmark.pedantic(lambda: _fill(catalog, volume), rounds=1)
    fresh = _freshly_built(catalog, tmp_path / "fresh")
    before = {name: _read_ms(catalog.table("lakeflow", name)) for name in GOLD}
    list(optimized(catalog, []))
    list(vacuumed(catalog, [], timedelta(0), dry_run=False))
    for name in GOLD:
        kept, built = (scan(lake.table("lakeflow", name)).collect() for lake in (catalog, fresh))
        by = [column for column, kind in kept.schema.items() if not kind.is_nested()]
        assert kept.sort(by).equals(built.sort(by)), f"{name}: other rows after the upkeep"
    after, new = {}, {}
    for name in GOLD:
        after[name], new[name] = (_read_ms(lake.table("lakeflow", name)) for lake in (catalog, fresh))
    benchmark.extra_info |= {
        "what": f"reading Gold after {BATCHES:,} batches and upkeep / reading it freshly built",
        "goal": "<= 1.5",
        "before_upkeep_ms": {name: round(ms, 1) for name, ms in before.items()},
        "after_upkeep_ms": {name: round(ms, 1) for name, ms in after.items()},
        "fresh_ms": {name: round(ms, 1) for name, ms in new.items()},
        "ratio_before_upkeep": sum(before.values()) / sum(new.values()),
        "ratio": sum(after.values()) / sum(new.values()),
    }


def _fill(catalog: Catalog, volume: Path) -> None:
    """So many batches of so many lines, one after the other, in this process."""
    events = catalog.volume("simulator", "events")
    events.mkdir(parents=True)
    runner, batches = Runner(PIPELINE, catalog), 0
    for file in sorted(volume.iterdir()):
        lines = file.read_bytes().splitlines(keepends=True)
        for first in range(0, len(lines) - LINES + 1, LINES):
            (events / f"{file.stem}-{first:06d}.json").write_bytes(b"".join(lines[first : first + LINES]))
            assert len(list(runner.run_available())) == 1
            batches += 1
            if batches == BATCHES:
                return


def _freshly_built(catalog: Catalog, folder: Path) -> Catalog:
    """Another lake, made from the same files in one batch."""
    fresh = open_catalog(str(folder), "caspers")
    events = fresh.volume("simulator", "events")
    events.parent.mkdir(parents=True)
    events.symlink_to(catalog.volume("simulator", "events"))
    assert len(list(Runner(PIPELINE, fresh).run_available())) == 1
    return fresh


def _read_ms(path: Path) -> float:
    taken = []
    for _ in range(READS):
        begun = time.perf_counter()
        rows: pl.DataFrame = scan(path).collect()
        taken.append(1000 * (time.perf_counter() - begun))
    assert rows.height
    return median(taken)
