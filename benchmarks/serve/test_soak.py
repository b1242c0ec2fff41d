"""Memory and open files of every process of the service, at half of its top rate."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import run_sim
from pytest_benchmark.fixture import BenchmarkFixture
from soak import soaked, table

MIB, SHARE, FILES = 32, 0.1, 16
"""What a process may have more at last than at first: allocators keep some, the keeper knows each decided case."""


@pytest.mark.parametrize("seconds", [300, pytest.param(3_600, marks=pytest.mark.slow)])
def test_nothing_grows(benchmark: BenchmarkFixture, tmp_path: Path, seconds: int) -> None:
    """Ten days of orders, decided, then asked for again and again."""
    run_sim(tmp_path, "--start-day", "10", "--trigger", "available-now")
    found = benchmark.pedantic(soaked, args=(tmp_path, seconds), rounds=1)
    print(table(found))
    benchmark.extra_info |= {"what": "a soak at half the top rate: memory and files of each process", **found}
    assert set(found["statuses"]) == {"200"}
    assert found["processes"]
    for one in found["processes"]:
        assert one["own_mib_last"] <= one["own_mib_first"] * (1 + SHARE) + MIB, one
        assert one["files_last"] <= one["files_first"] + FILES, one
