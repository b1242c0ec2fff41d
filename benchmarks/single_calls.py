"""What one tool call costs: a case after the other, as a model asks, the store warm."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import polars as pl
from pytest_benchmark.fixture import BenchmarkFixture

from casper_ray.agents.agent import Agent
from casper_ray.agents.case import Case
from casper_ray.agents.tools import Toolbox

CALLS = 500
GOAL_MS = 10.0


def call_singly(
    benchmark: BenchmarkFixture, agent: Agent, store: Any, cases: pl.DataFrame, tool: str
) -> list[bool]:
    """Calls the tool of up to `CALLS` cases; p95 over the goal is the ratio. Whether each found anything."""
    rows = cases.sample(min(CALLS + 1, cases.height), seed=1).iter_rows(named=True)
    first, *others = [Case.of(row) for row in rows]
    took_ms: list[float] = []
    found: list[bool] = []

    def call(case: Case) -> None:
        begun = time.perf_counter()
        made = Toolbox(store, case, agent.tools).call(tool)
        took_ms.append((time.perf_counter() - begun) * 1000)
        assert made.result
        found.append(made.result["found"])

    call(first)
    took_ms.clear()
    benchmark.pedantic(lambda: [call(case) for case in others], rounds=1)
    p50, p95 = (float(np.percentile(took_ms, share)) for share in (50, 95))
    benchmark.extra_info |= {
        "what": f"{agent.name}'s {tool}: p95 of {len(others)} single calls, warm",
        "goal": f"<= {GOAL_MS:g} ms",
        "p50_ms": round(p50, 2),
        "p95_ms": round(p95, 2),
        "ratio": p95 / GOAL_MS,
    }
    return found
