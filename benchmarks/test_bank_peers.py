"""The bank's lines through ours, Spark, and polars without Ray; in turn, so that a drift of the machine hits all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from conftest import PEERS, Program
from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 3
OURS = ("--pipeline", "bank", "--warm")


def test_bank_rows_are_the_peers(program: Program, tmp_path: Path, four_bank_days: Path) -> None:
    """Every value of every table, of the first days; the figures below are held against each other by row counts."""
    for name, extra in (("bank_polars_limit.py", ()), ("ours.py", ("--pipeline", "bank"))):
        program(name, four_bank_days, *extra)
    limit, ours = (next(tmp_path.glob(f"{name}-*")) for name in ("bank_polars_limit.py", "ours.py"))
    assert not _difference(limit, ours / "bank_dev" / "retail_banking")
    if shutil.which("java"):
        program("bank_spark_streaming.py", four_bank_days)
        assert not _difference(limit, next(tmp_path.glob("bank_spark_streaming.py-*")))


def test_bank_warm_against_the_limit(
    benchmark: BenchmarkFixture, program: Program, bank_volume: Path, warm_bank_volume: Path
) -> None:
    """Processing time with workers warm, against one polars process with delta-rs and no Ray."""
    ours: list[dict[str, Any]] = []
    limit: list[dict[str, Any]] = []
    benchmark.pedantic(
        lambda: ours.append(program("ours.py", bank_volume, *OURS, warm_bank_volume)),
        setup=lambda: limit.append(program("bank_polars_limit.py", bank_volume)),
        rounds=ROUNDS,
    )
    assert ours[-1]["tables"] == limit[-1]["tables"]
    benchmark.extra_info |= {
        "what": "bank: warm, ours / polars without Ray",
        "goal": "<= 1.6",
        "ours_s": [run["processing_s"] for run in ours],
        "limit_s": [run["processing_s"] for run in limit],
        "ratio": median(a["processing_s"] / b["processing_s"] for a, b in zip(ours, limit, strict=True)),
    }


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17")
def test_bank_against_spark(
    benchmark: BenchmarkFixture, program: Program, bank_volume: Path, warm_bank_volume: Path
) -> None:
    """Processing time warm, against Spark Structured Streaming."""
    warm: list[dict[str, Any]] = []
    spark: list[dict[str, Any]] = []
    benchmark.pedantic(
        lambda: warm.append(program("ours.py", bank_volume, *OURS, warm_bank_volume)),
        setup=lambda: spark.append(program("bank_spark_streaming.py", bank_volume)),
        rounds=ROUNDS,
    )
    assert warm[-1]["tables"] == spark[-1]["tables"]
    benchmark.extra_info |= {
        "what": "bank: Spark / ours, warm processing",
        "goal": ">= 7",
        "spark_s": [run["processing_s"] for run in spark],
        "ours_warm_s": [run["processing_s"] for run in warm],
        "ratio": median(s["processing_s"] / w["processing_s"] for s, w in zip(spark, warm, strict=True)),
    }


def _difference(one: Path, other: Path) -> str:
    """What compare.py says of two outputs; empty where they are the same."""
    command = [sys.executable, str(PEERS / "compare.py"), str(one), str(other)]
    ended = subprocess.run(command, capture_output=True, text=True)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr
