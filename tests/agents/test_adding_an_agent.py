"""The agent that docs/reference/agents.md adds, as it stands there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from casper_ray.agents import agent as agent_module
from casper_ray.agents.agent import Agent, agent_version, load_rules
from casper_ray.agents.decision import Decider
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.agents.prompts import Prompt

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "agents.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert isinstance(found, str)
    return found


@pytest.fixture
def voucher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agent:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "voucher.yml").write_text(block("yaml"))
    monkeypatch.setattr(agent_module, "configs_dir", lambda: tmp_path)
    monkeypatch.setattr(agent_module, "load_prompt", lambda name: Prompt(name, "Is a voucher due?"))
    room: dict[str, object] = {"__name__": "voucher"}
    exec(compile(block("python"), "agents.md", "exec", dont_inherit=True), room)
    agent = room["VOUCHER"]
    assert isinstance(agent, Agent)
    return agent


def test_the_example_decides(voucher: Agent, kitchen_store: KitchenStore) -> None:
    rules, engine = load_rules(voucher), PolicyEngine()
    version = agent_version(voucher, rules, engine.settings)
    decider = Decider(agent=voucher, rules=rules, version=version, engine=engine)
    told = decider.decide(
        kitchen_store,
        voucher.cases(kitchen_store, 0, kitchen_store.batch),
        sim_now=datetime(2024, 1, 4, tzinfo=UTC),
    )
    slow = kitchen_store.orders.filter(pl.col("minutes") > 38)["order_id"]
    paid = told.filter(pl.col("amount") > 0)
    assert 0 < slow.len() < told.height
    assert set(told.filter(outcome="voucher")["pays_for"]) == set(slow)
    assert paid.height > 0
    assert set(paid["pays_for"]) <= set(slow)
    assert paid["amount"].max() == Decimal("5.00")
    for text in told["proposal"]:
        voucher.answer.model_validate_json(text)
