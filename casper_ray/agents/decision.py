"""Decisions: what becomes of cases, as rows."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl
import pyarrow as pa

from casper_ray.agents.agent import Agent, Rules
from casper_ray.agents.case import CASES
from casper_ray.agents.engines.engine import PROPOSED, Ask, Engine
from casper_ray.agents.gate import FACTS, judged
from casper_ray.agents.ledger import Ledger
from casper_ray.agents.tools import gathered
from casper_ray.lakehouse.open_table import TableFormat

_TS = pa.timestamp("us", "UTC")
_INSTANT = pl.Datetime("us", "UTC")
SCHEMA, TABLE = "agents", "decisions"
DECISIONS: Final = TableFormat(
    schema=pa.schema(
        [
            ("decision_id", pa.string()),
            ("agent", pa.string()),
            ("agent_version", pa.string()),
            ("case_id", pa.string()),
            ("case_ts", _TS),
            ("decided_sim_ts", _TS),
            ("decided_at", _TS),
            ("proposal", pa.string()),
            ("gate_action", pa.string()),
            ("gate_reasons", pa.list_(pa.string())),
            ("final", pa.string()),
            ("engine", pa.string()),
            ("usage", pa.string()),
            ("inputs", pa.string()),
            ("idempotency_key", pa.string()),
            ("outcome", pa.string()),
            ("amount", pa.decimal128(18, 2)),
            ("pays_for", pa.string()),
            ("customer", pa.string()),
            ("source_batch", pa.int64()),
            ("_known_ts", _TS),
        ]
    ),
    stats=("case_ts", "source_batch", "_known_ts"),
)
"""One row per agent, version and case.

proposal: JSON of the agent's answer; null: there was none. final: the same as the gate left it; null where nothing
is decided yet (queued, refused). amount: money that may move, in the domain's currency; 0: none. pays_for, customer:
what for, and whose, keys and no names. inputs: JSON: as_of, source_batch, tables (their versions as the case's batch
left them, whenever it was decided), evidence (a digest of what tools told), prompt, rules. outcome: the proposal's
kind, or why there is none. idempotency_key: of agent and case, the same for every version: for whoever moves the
money. _known_ts: case_ts.
"""
NOT_CONTENT: Final = ("decided_at", "decided_sim_ts", "usage")
"""Columns that say when and how dearly it was decided, not what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """An agent on an engine: a table of cases to a table of decisions. off: the kill switch."""

    agent: Agent
    rules: Rules
    version: str
    engine: Engine
    ledger: Ledger = field(default_factory=Ledger)

    def decide(
        self, store: Any, cases: pl.DataFrame, *, sim_now: datetime | None, off: bool = False
    ) -> pl.DataFrame:
        """The decisions on `cases`, batch by batch, in the order of their instants: an earlier payment counts against
        a later one, and how many batches are decided at once changes nothing.

        cases:   `CASES`. sim_now: where simulated time stands.
        Returns: one row per case: `DECISIONS`.
        Rules:   where the agent is off, nothing is asked and every case goes to a person.
        """
        proposed = self.propose(store, in_order(cases), off=off)
        return self.judge(store, proposed, sim_now=sim_now, off=off)

    def propose(self, store: Any, cases: pl.DataFrame, *, off: bool = False) -> pl.DataFrame:
        """What the engine proposes for `cases`, with what the gate is to know; nothing is decided yet.

        Returns: one row per case, in order: `CASES`, a struct `answer`, `PROPOSED`, and the rest of `FACTS`.
        """
        if self.agent.ahead is not None:
            self.agent.ahead(store, cases)
        evidence = gathered(store, self.agent.gathered_tools, cases)
        ask = Ask(agent=self.agent, rules=self.rules, store=store, evidence=evidence)
        proposed = self.engine.propose(ask) if not off else _nothing_proposed(ask)
        answers = proposed.select(pl.col("answer").struct.unnest())
        facts = self.agent.facts(store, evidence, answers, self.rules.policy)
        known = [name for name in FACTS if name not in (*CASES, *PROPOSED)]
        return cases.select(CASES.names()).with_columns(
            *proposed.select("answer", *PROPOSED), *facts.select(known)
        )

    def judge(
        self, store: Any, proposed: pl.DataFrame, *, sim_now: datetime | None, off: bool = False
    ) -> pl.DataFrame:
        """The gate's decisions on what `propose` returned, in its order; the ledger has their payments after."""
        verdicts = judged(proposed.select(FACTS.names()), self.rules.gate, self.ledger, off=off)
        final = self.agent.final(proposed.select(pl.col("answer").struct.unnest()), verdicts["amount"])
        keys = [idempotency_key(self.agent.name, case_id) for case_id in proposed["case_id"]]
        decided = verdicts["gate_action"].is_in(["approved", "clipped"])
        return proposed.select(
            pl.Series("decision_id", [decision_id(self.version, key) for key in keys], dtype=pl.String),
            pl.lit(self.agent.name).alias("agent"),
            pl.lit(self.version).alias("agent_version"),
            "case_id",
            pl.col("at").alias("case_ts"),
            pl.lit(sim_now, _INSTANT).alias("decided_sim_ts"),
            pl.lit(time.time_ns() // 1000, pl.Int64).cast(_INSTANT).alias("decided_at"),
            _json(proposed["answer"], proposed["failure"].is_null()).alias("proposal"),
            verdicts["gate_action"],
            verdicts["gate_reasons"],
            _json(final.to_struct("final"), decided).alias("final"),
            "engine",
            "usage",
            self._inputs(store, proposed).alias("inputs"),
            pl.Series("idempotency_key", keys, dtype=pl.String),
            pl.col("outcome").fill_null(pl.col("failure")),
            verdicts["amount"],
            "pays_for",
            "customer",
            "source_batch",
            pl.col("at").alias("_known_ts"),
        ).select(DECISIONS.schema.names)

    def _inputs(self, store: Any, proposed: pl.DataFrame) -> pl.Series:
        """What it was decided on. Written by format: the fields but two are the same for all of a batch."""
        batches = proposed["source_batch"].unique()
        left = store.versions_by_batch(batches.to_list())
        fixed = [
            json.dumps(
                {
                    "prompt": self.agent.prompt,
                    "rules": self.rules.gate.version,
                    "tables": dict(sorted(left[batch].items())),
                }
            )[1:]
            for batch in batches
        ]
        text = pl.format(
            "{}{}{}{}{}{}{}",
            pl.lit('{"as_of":"'),
            pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
            pl.lit('","source_batch":'),
            "source_batch",
            pl.lit(',"evidence":"'),
            "evidence_sha256",
            pl.col("source_batch").replace_strict(
                batches, pl.Series([f'",{rest}' for rest in fixed], dtype=pl.String), default=None
            ),
        )
        return proposed.select(text).to_series()


def in_order(cases: pl.DataFrame) -> pl.DataFrame:
    """Cases in the order in which they are decided."""
    return cases.sort("source_batch", "at", "case_id")


def idempotency_key(agent: str, case_id: str) -> str:
    """The key under which money of a case moves once, whatever version decided."""
    return hashlib.sha256(f"{agent}\0{case_id}".encode()).hexdigest()


def decision_id(version: str, key: str) -> str:
    """The id of what a version of an agent decided on a case. key: its `idempotency_key`."""
    return f"{version}-{key[:24]}"


def _json(rows: pl.Series, where: pl.Series) -> pl.Series:
    """Each row of a struct as JSON text; null where not `where`."""
    return pl.select(pl.when(where).then(pl.lit(rows).struct.json_encode())).to_series()


def _nothing_proposed(ask: Ask) -> pl.DataFrame:
    """What stands for proposals of an agent that is off."""
    height = ask.evidence.height
    return pl.DataFrame(
        {
            "answer": pl.Series([None] * height, dtype=pl.Struct(ask.agent.answer_schema)),
            "sure": pl.Series([False] * height, dtype=pl.Boolean),
            "failure": pl.Series(["kill_switch"] * height, dtype=pl.String),
            "evidence": pl.Series([[]] * height, dtype=pl.List(pl.String)),
            "evidence_sha256": pl.Series([""] * height, dtype=pl.String),
            "engine": pl.Series(["none"] * height, dtype=pl.String),
            "usage": pl.Series(["{}"] * height, dtype=pl.String),
        }
    )
