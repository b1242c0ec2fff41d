"""A version is of what decides: each part that can change an answer changes it, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from casper_ray.agents import agent as agent_module
from casper_ray.agents.agent import Agent, agent_version, load_rules
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.agents.kitchen.refund import REFUND, Refund
from casper_ray.agents.kitchen.tools import OfOrder
from casper_ray.agents.prompts import Prompt
from casper_ray.agents.registry import load_agent
from casper_ray.errors import ConfigError

ENGINE = {"name": "llm", "model": "m", "temperature": 0}


def version(agent: Agent = REFUND, engine: Mapping[str, Any] = ENGINE, **raw: Any) -> str:
    rules = load_rules(REFUND)
    return agent_version(agent, replace(rules, raw={**rules.raw, **raw}), engine)


class Longer(Refund):
    more: str = Field(max_length=10)


class Narrower(OfOrder):
    order_id: str = Field(max_length=6)


@pytest.mark.parametrize(
    "other",
    [
        replace(REFUND, tools=REFUND.tools[:-1]),
        replace(REFUND, tools=(replace(REFUND.tools[0], description="Else."), *REFUND.tools[1:])),
        replace(REFUND, tools=(replace(REFUND.tools[0], arguments=Narrower), *REFUND.tools[1:])),
        replace(REFUND, gathers=REFUND.gathers[:1]),
        replace(REFUND, answer=Longer),
        replace(REFUND, name="refund2"),
    ],
)
def test_another_agent_is_another_version(other: Agent) -> None:
    assert version(other) != version()


def test_policy_gate_and_engine_settings_count() -> None:
    raw = load_rules(REFUND).raw
    told = {
        version(),
        version(policy={**raw["policy"], "partial": 0.26}),
        version(gate={**raw["gate"], "cap": 101}),
        version(gate={**raw["gate"], "version": "refund-gate.v2"}),
        version(engine={**ENGINE, "temperature": 0.1}),
        version(engine={**ENGINE, "model": "n"}),
        version(engine=PolicyEngine().settings),
    }
    assert len(told) == 7


def test_the_prompts_text_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = version()
    monkeypatch.setattr(agent_module, "load_prompt", lambda name: Prompt(name, "Pay everything."))
    assert version() != before


def test_the_same_is_the_same_however_it_is_written() -> None:
    raw = load_rules(REFUND).raw
    backwards = {key: raw[key] for key in reversed(raw)}
    engine = {key: ENGINE[key] for key in reversed(ENGINE)}
    told = agent_version(replace(REFUND), replace(load_rules(REFUND), raw=backwards), engine)
    assert told == version() == version(replace(REFUND, title="Else"))
    assert re.fullmatch("[0-9a-f]{12}", told)


def test_agents_are_found_by_name() -> None:
    assert load_agent("refund") is REFUND
    with pytest.raises(ConfigError, match="none of that name"):
        load_agent("refunds")


@pytest.mark.parametrize(
    ("text", "saw"),
    [
        ("policy: {partial: 0.25, full: 1, least_deliveries: 20}", "gate"),
        ("policy: {partial: 2, full: 1, least_deliveries: 20}\ngate: {version: x}", "partial"),
        ("policy: {partial: 0.25, full: 1, least_deliveries: 20}\ngate: {version: x, capp: 1}", "capp"),
        ("policy: {partial: 0.25, full: 1, least: 20}\ngate: {version: x}", "least"),
        ("- 1", "mapping"),
    ],
)
def test_rules_that_are_wrong_say_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, saw: str
) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "refund.yml").write_text(text)
    monkeypatch.setattr(agent_module, "configs_dir", lambda: tmp_path)
    with pytest.raises(ConfigError, match=saw):
        load_rules(replace(REFUND))
