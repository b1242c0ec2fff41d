"""The corpus on trial, as tests are given it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from casper_ray.agents.agent import Agent
from casper_ray.agents.attacks.corpus import Attack, attacks
from casper_ray.agents.attacks.engine import ScriptEngine
from casper_ray.agents.attacks.gullible import gullible
from casper_ray.agents.attacks.stake import DUE, Stake, load_stake
from casper_ray.agents.attacks.trial import Round, attacked, decided, outcomes, rounds
from casper_ray.agents.attacks.watch import Watch
from casper_ray.agents.engines.engine import Engine
from casper_ray.agents.registry import load_agent
from casper_ray.agents.testing.scripted_endpoint import Reply
from casper_ray.lakehouse.names import Catalog

SOME = 17
"""Each so many-th attack: every family, channel and dress is among them."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An agent, attacked: cases that bear the corpus, in rounds, and what is due by data that bear none of it."""

    agent: Agent
    stake: Stake
    corpus: list[Attack]
    rounds: list[Round]
    weighed: pl.DataFrame
    catalog: Catalog

    @classmethod
    def of(cls, name: str, catalog: Catalog, hosts: pl.DataFrame | None = None, *, every: int = 1) -> Trial:
        """hosts: None: the agent's own cases. every: only each so many-th attack."""
        agent, stake = load_agent(name), load_stake(name)
        store: Any = agent.open_store(catalog, None)
        if hosts is None:
            hosts = agent.cases(store, -1, store.batch)
        corpus = attacks(stake.victims(store, hosts), stake.wording)[::every]
        used = hosts.tail(len(corpus))
        cases = attacked(used, corpus, stake)
        weighed = stake.weighed(catalog, store, cases)
        made = list(rounds(store, cases, corpus, stake, used.height))
        return cls(agent, stake, corpus, made, weighed, catalog)

    @property
    def cases(self) -> pl.DataFrame:
        return pl.concat([some.cases for some in self.rounds])

    def on(self, engine: Engine) -> Tried:
        watch = Watch(self.stake.own(self.catalog, self.cases))
        decisions = decided(watch.over(self.agent), engine, self.rounds, self.cases["at"][-1])
        told = engine.told if isinstance(engine, ScriptEngine) else {}
        found = outcomes(self.agent, self.stake, self.corpus, decisions, self.weighed, told, watch)
        return Tried(self, engine, decisions, found)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial on an engine."""

    trial: Trial
    engine: Any
    decisions: pl.DataFrame
    outcomes: pl.DataFrame

    @property
    def due(self) -> list[Decimal]:
        return self.trial.weighed[DUE].to_list()


def script(
    messages: list[dict[str, Any]], tools: list[dict[str, Any]], asked: dict[str, Any] | None
) -> Reply:
    """The gullible model at an endpoint's other end."""
    said = gullible(messages, tools, asked)
    calls = [
        (call["function"]["name"], call["function"]["arguments"]) for call in said.get("tool_calls") or ()
    ]
    return Reply(text=said["content"], calls=calls)


def markers(value: Any) -> set[str]:
    """Items of hand-made orders that are named: each order has one that no other has."""
    text = json.dumps(value, default=str)
    return {text[at : at + 12] for at in range(len(text)) if text.startswith("marker-", at)}
