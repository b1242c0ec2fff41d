"""An agent's runner: what batches brought since the cursor becomes decisions, committed with the cursor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl

from casper_ray.agents.agent import Agent, Store, agent_version, load_rules
from casper_ray.agents.decision import Decider, in_order
from casper_ray.agents.engines.engine import Engine
from casper_ray.agents.ledger import Ledger
from casper_ray.agents.stream.bulk import MANY_CASES, cluster, propose_in_bulk
from casper_ray.agents.stream.log import DecisionLog
from casper_ray.agents.stream.switch import Switch
from casper_ray.config import Environment
from casper_ray.failpoints import reach
from casper_ray.lakehouse.batch_versions import refreshed_between
from casper_ray.lakehouse.names import Catalog

_CHUNK = 64
"""Cases that an engine which asks a model is given at once: the kill switch is looked at in between."""
_BULK_CHUNK = 50_000


class Step(NamedTuple):
    """One micro-batch that was decided. after, to: source batches (after, to]. decisions: `DECISIONS`.

    committed_at: wall time at which it was durable.
    """

    after: int
    to: int
    decisions: pl.DataFrame
    committed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What runs: an agent on an engine, over a catalog.

    many: from so many cases on Ray is asked to help. environment: how to reach one, where this process has none yet.
    """

    catalog: Catalog
    agent: Agent
    engine: Engine
    rules_name: str | None = None
    many: int = MANY_CASES
    environment: Environment | None = None

    def decider(self, ledger: Ledger | None = None) -> Decider:
        rules = load_rules(self.agent, self.rules_name)
        version = agent_version(self.agent, rules, self.engine.settings)
        return Decider(
            agent=self.agent, rules=rules, version=version, engine=self.engine, ledger=ledger or Ledger()
        )


class AgentRunner:
    """Decides micro-batches. Hold the agent's lease (`catalog_lease(catalog, lease_name(agent))`) while it lives."""

    def __init__(self, setting: Setting) -> None:
        self._setting, self._catalog = setting, setting.catalog
        self.agent, self._decider = setting.agent, setting.decider()
        self.version = self._decider.version
        self.log = DecisionLog(self._catalog, self.agent.name, self.version)
        self.store: Store = self.agent.open_store(self._catalog, None)
        self.switch = Switch(self._catalog, self.agent.name)
        self._reached = self.log.cursor

    def step(self) -> Step | None:
        """Decide and commit what batches brought since the cursor; None where that was nothing.

        Retry: safe after a crash at any point: the same cases are decided again, from the same tables.
        """
        self.store.follow()
        after, to = max(self._reached, self.log.cursor), self.store.batch
        if to <= after:
            return None
        cases = self._undecided(in_order(self.agent.cases(self.store, after, to)), after, to)
        self._reached = to
        if cases.is_empty():
            return None
        return self._decided(cases, after, to)

    def _decided(self, cases: pl.DataFrame, after: int, to: int) -> Step | None:
        reach("agents.before_propose")
        proposed = self._proposed(cases)
        reach("agents.after_propose")
        made: list[pl.DataFrame] = []

        def judge(ledger: Ledger) -> pl.DataFrame:
            decider = replace(self._decider, ledger=ledger)
            made[:] = [
                decider.judge(self.store, proposed, sim_now=self.store.sim_instant, off=self.switch.off)
            ]
            return made[0]

        if not self.log.append(to, judge):
            return None
        return Step(after, to, made[0], datetime.now(UTC))

    def _undecided(self, cases: pl.DataFrame, after: int, to: int) -> pl.DataFrame:
        """The cases without those that were decided before: by themselves, or before tables were made anew."""
        if cases.is_empty():
            return cases
        if self.log.has_singles or refreshed_between(self._catalog, self._catalog.pipeline_schema, after, to):
            return cases.filter(~pl.col("case_id").is_in(self.log.decided(cases["case_id"]).implode()))
        return cases

    def _proposed(self, cases: pl.DataFrame) -> pl.DataFrame:
        bulk = self._setting.engine.name == "policy"
        if bulk and cases.height >= self._setting.many and not self.switch.off:
            with cluster(self._setting.environment):
                return propose_in_bulk(self._decider, self._catalog, self.store.batch, cases)
        chunks = cases.iter_slices(_BULK_CHUNK if bulk else _CHUNK)
        return pl.concat(self._decider.propose(self.store, chunk, off=self.switch.off) for chunk in chunks)


def lease_name(agent: str) -> str:
    return f"agents-{agent}"
