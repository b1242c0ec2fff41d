"""What one call of each of the bank's tools costs, of flagged transactions and of others."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl
import pytest
from conftest import run_sim
from pytest_benchmark.fixture import BenchmarkFixture
from single_calls import CALLS, call_singly

from casper_ray.agents.agent import Agent
from casper_ray.agents.bank.scope import TRANSACTION_CASE, transaction_cases
from casper_ray.agents.registry import AGENTS, load_agent
from casper_ray.lakehouse.names import Catalog, existing_catalog
from casper_ray.lakehouse.read import KNOWN, scan

BANK = [load_agent(name) for name in sorted(AGENTS) if load_agent(name).domain == "bank"]
DAYS = 45


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("bank-tools")
    run_sim(folder, "--domain", "bank", "--speed", "max", "--until-day", str(DAYS))
    return existing_catalog(str(folder), "bank_dev")


@cache
def opened(agent: Agent, catalog: Catalog) -> Any:
    return agent.open_store(catalog, None)


@pytest.mark.parametrize(
    ("agent", "tool"),
    [(agent, tool.name) for agent in BANK for tool in agent.tools],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_one_call_of_its_own_cases(
    benchmark: BenchmarkFixture, catalog: Catalog, agent: Agent, tool: str
) -> None:
    store = opened(agent, catalog)
    found = call_singly(benchmark, agent, store, agent.cases(store, -1, store.batch), tool)
    assert any(found)


@pytest.mark.parametrize("tool", [tool.name for tool in load_agent("alert").tools])
def test_one_call_about_what_nobody_flagged(benchmark: BenchmarkFixture, catalog: Catalog, tool: str) -> None:
    agent = load_agent("alert")
    store = opened(agent, catalog)
    silver = (
        scan(catalog.table("retail_banking", "silver_transactions")).select("transaction_id", KNOWN).collect()
    )
    others = silver.join(store.flagged, on="transaction_id", how="anti").sample(CALLS + 1, seed=2)
    cases = transaction_cases(others.with_columns(pl.lit(0).alias("source_batch")), TRANSACTION_CASE, KNOWN)
    found = call_singly(benchmark, agent, store, cases, tool)
    assert any(found) or tool == "get_prior_alerts"
