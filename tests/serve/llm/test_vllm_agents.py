"""Every agent in front of a real vLLM: its answer's schema and its tools' are taken, by both ways of asking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from served_llm import Door

from casper_ray.agents.agent import load_rules
from casper_ray.agents.engines.build import build_engine
from casper_ray.agents.engines.engine import Ask
from casper_ray.agents.engines.settings import EngineSettings
from casper_ray.agents.registry import AGENTS, load_agent
from casper_ray.agents.tools import gathered
from casper_ray.lakehouse.names import open_catalog

pytestmark = pytest.mark.vllm

CASES = 3
CATALOGS = {"kitchen": "caspers", "bank": "bank_dev"}
OF_THE_MODEL = {
    "invalid_output",
    "wrong_enum",
    "half_json",
    "prose",
    "cut",
    "budget_steps",
    "budget_tokens",
    "budget_tool_calls",
    "budget_seconds",
}
"""How a model of random weights may fail. Not among them: `rejected`, by which the engine refuses what is asked."""
SETTINGS = EngineSettings.model_validate(
    {
        "temperature": 1.0,
        "answer_tokens": 1_500,
        "request_s": 280,
        "at_once": CASES,
        "budget": {"seconds": 600, "tokens": 60_000, "steps": 5},
    }
)


@pytest.mark.parametrize("engine", ["single_shot", "loop"])
@pytest.mark.parametrize("name", sorted(AGENTS))
def test_an_agents_schemas_are_taken(
    name: str, engine: str, llm_door: Door, both_worlds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in {
        "CASPER_LLM_BASE_URL": f"{llm_door.url}/v1",
        "CASPER_LLM_API_KEY": llm_door.key,
        "CASPER_LLM_MODEL": "tiny",
    }.items():
        monkeypatch.setenv(variable, value)
    proposed = build_engine(engine, SETTINGS).propose(_ask(name, both_worlds))
    failures = proposed["failure"].drop_nulls().to_list()
    print(f"\n{name} by {engine}: {proposed.height - len(failures)} answers, failures {failures}")
    assert set(failures) <= OF_THE_MODEL
    assert all(json.loads(usage)["completion_tokens"] > 0 for usage in proposed["usage"])
    if engine == "single_shot":
        assert "prose" not in failures
        assert "wrong_enum" not in failures


def _ask(name: str, lake: Path) -> Ask:
    agent = load_agent(name)
    store: Any = agent.open_store(open_catalog(str(lake), CATALOGS[agent.domain]), None)
    cases: pl.DataFrame = agent.cases(store, -1, store.batch).head(CASES)
    assert cases.height, f"the lake has no case for {name}"
    evidence = gathered(store, agent.gathered_tools, cases)
    return Ask(agent=agent, rules=load_rules(agent), store=store, evidence=evidence)
