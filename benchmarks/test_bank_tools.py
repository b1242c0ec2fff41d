"""What one call of each of the bank's tools costs, of flagged transactions and of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import run_sim
from pytest_benchmark.fixture import BenchmarkFixture
from single_calls import ANYONE, called_singly, tell

from casper_ray.agents.registry import AGENTS, load_agent

BANK = sorted(
    (load_agent(name) for name in AGENTS if load_agent(name).domain == "bank"), key=lambda a: a.name
)
TOOLS = [
    *((agent.name, tool.name, "own") for agent in BANK for tool in agent.tools),
    *(("alert", tool.name, "anyone") for tool in load_agent("alert").tools),
]
DAYS = 45


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], dict[str, Any]]:
    lake: Path = tmp_path_factory.mktemp("bank-tools")
    run_sim(lake, "--domain", "bank", "--speed", "max", "--until-day", str(DAYS))
    return called_singly(lake, "bank_dev", *(agent.name for agent in BANK), ANYONE)


@pytest.mark.parametrize("tool", TOOLS, ids="-".join)
def test_one_call(
    benchmark: BenchmarkFixture,
    called: dict[tuple[str, str, str], dict[str, Any]],
    tool: tuple[str, str, str],
) -> None:
    row = called[tool]
    tell(benchmark, row)
    assert row["found"] or tool == ("alert", "get_prior_alerts", "anyone")
