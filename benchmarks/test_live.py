"""How long after it is due an event is in Gold, and at which speed the replay can no longer follow."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from conftest import run_sim
from pytest_benchmark.fixture import BenchmarkFixture

FROM = ("--from", "2024-02-01T00:00", "--loop")


@pytest.mark.parametrize("speed", [3_600, 86_400])
def test_lag(benchmark: BenchmarkFixture, tmp_path: Path, speed: int) -> None:
    """Milliseconds from due to committed, at a tick of 1 s, over 30 s of live replay."""
    runs = []
    benchmark.pedantic(
        lambda: runs.append(run_sim(tmp_path, "--speed", str(speed), "--for", "30s", *FROM)), rounds=1
    )
    assert runs[0]["lag_ms"]["p95"] > 0
    benchmark.extra_info |= {
        "what": f"lag at {speed:,}x, tick 1 s: p95 from due to Gold",
        "goal": "<= 2000 ms",
        "lag_ms": runs[0]["lag_ms"],
        "ratio": runs[0]["lag_ms"]["p95"] / 2000,
    }


def test_top_speed(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """The highest of some speeds at which the backlog stays bounded: simulated time keeps up, to 5 %."""
    reached: dict[int, float] = {}
    lags: dict[int, float] = {}

    def climb() -> None:
        for speed in (250_000, 500_000, 750_000, 1_000_000, 1_500_000):
            lake = tmp_path / str(speed)
            run_sim(lake, "--speed", str(speed), "--for", "10s", *FROM)
            run = run_sim(lake, "--speed", str(speed), "--for", "20s", "--loop")
            seconds = _seconds(run["sim_to"]) - _seconds(run["sim_from"])
            reached[speed] = seconds / 20
            lags[speed] = run["lag_ms"]["p95"]
            if reached[speed] < 0.95 * speed:
                break

    benchmark.pedantic(climb, rounds=1)
    assert all(got > 0 for got in reached.values())
    kept_up = [speed for speed, got in reached.items() if got >= 0.95 * speed]
    benchmark.extra_info |= {
        "what": "highest speed with a bounded backlog",
        "goal": ">= 500,000 (aim)",
        "reached": reached,
        "lag_p95_ms": lags,
        "ratio": max(kept_up, default=0),
    }


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
