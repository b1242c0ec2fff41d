"""An agent, declared: what it may ask, what it answers, its prompt, its policy, and what its money is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol

import polars as pl
from pydantic import BaseModel, ConfigDict

from casper_ray.agents.gate import GateRules
from casper_ray.agents.prompts import load_prompt
from casper_ray.agents.tools import Tool
from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.lakehouse.names import Catalog
from casper_ray.spec import Spec

VERSION_CHARS = 12


class Answer(BaseModel):
    """Base of what an agent proposes: bounded, typed, and nothing that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def as_proposed(answers: pl.DataFrame, amounts: pl.Series) -> pl.DataFrame:
    """`Agent.final` of an answer with no money in it: the answer as it is."""
    return answers


class Store(Protocol):
    """What tools read from: tables at the versions that one batch left; `follow` goes on to the newest."""

    @property
    def batch(self) -> int: ...

    @property
    def sim_instant(self) -> datetime | None:
        """Where simulated time stood; None where nobody told the time."""

    @property
    def versions(self) -> Mapping[str, int]:
        """`schema.table` to the version that answers are from."""

    def versions_by_batch(self, batches: Collection[int]) -> Mapping[int, Mapping[str, int]]:
        """The same as each of some batches left it; of a batch that there is not, the store's own."""

    def follow(self, batch: int | None = None) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agent:
    """Declares an agent; running it is for an engine and the stream.

    kind:     of its cases.
    tools:    what a model may call. gathers: names of those that the policy and a single-shot model are told of.
    answer:   the proposal's model; answer_schema: the same as columns.
    settings: the model of the `policy:` part of configs/policies/NAME.yml.
    policy(evidence, settings): the proposals of many cases, pure. `evidence` is what `tools.gathered` returns.
              Columns of `answer_schema`, and `sure`: whether the policy is, for a cascade.
    facts(store, evidence, proposals, settings): what the gate is to know, from data and not from the model: see
              `gate.FACTS`. `proposals` has the columns of `answer_schema`, null where there is no proposal.
    final(proposals, amounts): the answer as the gate leaves it: `answer_schema` with its amounts put in.
    open_store(catalog, batch): what tools read, as batch left it; None: the newest.
    ahead(store, cases): called before tools are asked, so that a store may begin to read what the facts of very many
              cases will need; None: there is nothing.
    cases(store, after, to): cases that batches (after, to] brought, of `CASES`, in the order of `at`, then case_id.
    """

    name: str
    domain: str
    kind: str
    title: str
    tools: tuple[Tool, ...]
    gathers: tuple[str, ...]
    answer: type[Answer]
    answer_schema: pl.Schema
    settings: type[Spec]
    prompt: str
    policy: Callable[[pl.DataFrame, Any], pl.DataFrame]
    facts: Callable[[Any, pl.DataFrame, pl.DataFrame, Any], pl.DataFrame]
    final: Callable[[pl.DataFrame, pl.Series], pl.DataFrame]
    open_store: Callable[[Catalog, int | None], Store]
    cases: Callable[[Any, int, int], pl.DataFrame]
    ahead: Callable[[Any, pl.DataFrame], None] | None = None

    def tool(self, name: str) -> Tool:
        return next(tool for tool in self.tools if tool.name == name)

    @property
    def gathered_tools(self) -> tuple[Tool, ...]:
        return tuple(self.tool(name) for name in self.gathers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """configs/policies/NAME.yml, checked. raw: as read, for the version."""

    policy: Spec
    gate: GateRules
    raw: Mapping[str, Any]


@cache
def load_rules(agent: Agent, name: str | None = None) -> Rules:
    """The rules of an agent: its own, or those of another name in configs/policies. Raises: ConfigError."""
    path = configs_dir() / "policies" / f"{name or agent.name}.yml"
    raw = load_mapping(path)
    parts = checked(_Parts, raw, str(path))
    return Rules(
        policy=checked(agent.settings, parts.policy, f"{path}: policy"),
        gate=checked(GateRules, parts.gate, f"{path}: gate"),
        raw=raw,
    )


class _Parts(Spec):
    policy: dict[str, Any]
    gate: dict[str, Any]


def agent_version(agent: Agent, rules: Rules, engine: Mapping[str, Any]) -> str:
    """What decides, in 12 hexadecimal digits: prompt, tools, policy, gate and engine settings. Never a secret.

    engine: the engine's name and whatever of its settings can change an answer.
    """
    parts = {
        "agent": agent.name,
        "prompt": load_prompt(agent.prompt).text,
        "tools": [tool.described() for tool in agent.tools],
        "gathers": agent.gathers,
        "answer": agent.answer.model_json_schema(),
        "rules": rules.raw,
        "engine": dict(engine),
    }
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_CHARS]
