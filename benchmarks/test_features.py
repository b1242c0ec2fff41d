"""What as-of features cost: one case at a time, and many at once against the pass that built the tables."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from conftest import run_sim
from pytest_benchmark.fixture import BenchmarkFixture

from casper_ray.agents.features.cases import CASE_SCHEMA, Case
from casper_ray.agents.features.lookup import FeatureStore, features_at
from casper_ray.agents.features.tables import TRANSACTIONS
from casper_ray.cluster import start_ray, stop_ray
from casper_ray.config import load_environment
from casper_ray.lakehouse.names import Catalog, existing_catalog
from casper_ray.lakehouse.read import KNOWN, scan
from casper_ray.medallion.runner import Runner

PIPELINE = "casper_ray.medallion.bank.pipeline:PIPELINE"
DAYS, SINGLE, WARMING, BULK = 45, 2_000, 50, 100_000
GOAL_MS = 10.0


class BankLake(NamedTuple):
    """5,000 customers' tables, and the seconds of the passes that built them."""

    catalog: Catalog
    pass_s: float

    def cases(self, count: int) -> pl.DataFrame:
        """Of that many different transactions, each at the instant from which it was known."""
        silver = scan(self.catalog.table("retail_banking", TRANSACTIONS)).collect()
        told = silver.sample(count, seed=1).with_columns(
            pl.format("case-{}", "transaction_id").alias("case_id"), pl.col(KNOWN).alias("at")
        )
        return told.select(CASE_SCHEMA.names())


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> BankLake:
    folder = tmp_path_factory.mktemp("bank")
    run_sim(folder, "--domain", "bank", "--speed", "max", "--until-day", str(DAYS), "--no-pipeline")
    catalog = existing_catalog(str(folder), "bank_dev")
    start_ray(load_environment())
    try:
        reports = list(Runner(PIPELINE, catalog).run_available())
    finally:
        stop_ray()
    return BankLake(catalog, sum(report.seconds["pass"] for report in reports))


def test_one_case_after_the_other(benchmark: BenchmarkFixture, lake: BankLake) -> None:
    """p95 of 2,000 look-ups in a warm store, over the goal of 10 ms."""
    begun = time.perf_counter()
    store = FeatureStore(lake.catalog)
    filled_s = time.perf_counter() - begun
    cases = [Case(**row) for row in lake.cases(SINGLE + WARMING).iter_rows(named=True)]
    taken: list[float] = []

    def every_case() -> None:
        for case in cases:
            begun = time.perf_counter()
            store.one(case)
            taken.append(1000 * (time.perf_counter() - begun))

    benchmark.pedantic(every_case, rounds=1)
    p50, p95 = map(float, np.percentile(taken[WARMING:], [50, 95]))
    benchmark.extra_info |= {
        "what": f"as-of features of one case, warm, p95 of {SINGLE:,} / {GOAL_MS:g} ms",
        "goal": "<= 1",
        "p50_ms": p50,
        "p95_ms": p95,
        "store_filled_s": filled_s,
        "ratio": p95 / GOAL_MS,
    }


def test_many_cases_at_once(benchmark: BenchmarkFixture, lake: BankLake) -> None:
    """Seconds of 100,000 cases, from the tables on disk, over those of the pass that built the tables."""
    cases = lake.cases(BULK)
    taken: list[float] = []

    def all_cases() -> None:
        begun = time.perf_counter()
        assert features_at(lake.catalog, cases).height == BULK
        taken.append(time.perf_counter() - begun)

    benchmark.pedantic(all_cases, rounds=3)
    benchmark.extra_info |= {
        "what": f"as-of features of {BULK:,} cases / the pass that built the tables, {DAYS} days",
        "goal": "<= 0.5",
        "bulk_s": taken,
        "pass_s": lake.pass_s,
        "ratio": float(np.median(taken)) / lake.pass_s,
    }
