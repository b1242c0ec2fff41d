"""Decisions: what becomes of cases, as rows."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl
import pyarrow as pa

from casper_ray.agents.agent import Agent, Rules
from casper_ray.agents.engines.engine import Ask, Engine
from casper_ray.agents.gate import judged
from casper_ray.agents.ledger import Ledger
from casper_ray.agents.tools import gathered
from casper_ray.lakehouse.open_table import TableFormat

_TS = pa.timestamp("us", "UTC")
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
what for, and whose, keys and no names. inputs: JSON: as_of, source_batch, tables (their versions), evidence (a digest
of what tools told), prompt, rules. outcome: the proposal's kind, or why there is none. idempotency_key: of agent and
case, the same for every version: for whoever moves the money. _known_ts: case_ts.
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
        self, store: Any, cases: pl.DataFrame, *, sim_now: datetime, off: bool = False
    ) -> pl.DataFrame:
        """The decisions on `cases`, in the order of their instants: an earlier payment counts against a later one.

        cases:   `CASES`. sim_now: where simulated time stands.
        Returns: one row per case: `DECISIONS`.
        Rules:   where the agent is off, nothing is asked and every case goes to a person.
        """
        cases = cases.sort("at", "case_id")
        evidence = gathered(store, self.agent.gathered_tools, cases)
        ask = Ask(agent=self.agent, rules=self.rules, store=store, evidence=evidence)
        proposed = self.engine.propose(ask) if not off else _nothing_proposed(ask)
        answers = proposed.select(pl.col("answer").struct.unnest())
        facts = self.agent.facts(store, evidence, answers, self.rules.policy).with_columns(
            proposed["evidence"], proposed["failure"], cases["case_id"], cases["at"]
        )
        verdicts = judged(facts, self.rules.gate, self.ledger, off=off)
        return self._rows(cases, proposed, facts, verdicts, store.versions, sim_now)

    def _rows(
        self,
        cases: pl.DataFrame,
        proposed: pl.DataFrame,
        facts: pl.DataFrame,
        verdicts: pl.DataFrame,
        versions: Mapping[str, int],
        sim_now: datetime,
    ) -> pl.DataFrame:
        final = self.agent.final(proposed.select(pl.col("answer").struct.unnest()), verdicts["amount"])
        keys = [idempotency_key(self.agent.name, case_id) for case_id in cases["case_id"]]
        decided = verdicts["gate_action"].is_in(["approved", "clipped"])
        frame = cases.select(
            pl.Series("decision_id", [f"{self.version}-{key[:24]}" for key in keys], dtype=pl.String),
            pl.lit(self.agent.name).alias("agent"),
            pl.lit(self.version).alias("agent_version"),
            "case_id",
            pl.col("at").alias("case_ts"),
            pl.lit(sim_now, pl.Datetime("us", "UTC")).alias("decided_sim_ts"),
            pl.lit(time.time_ns() // 1000, pl.Int64).cast(pl.Datetime("us", "UTC")).alias("decided_at"),
            _json(proposed["answer"], proposed["failure"].is_null()).alias("proposal"),
            verdicts["gate_action"],
            verdicts["gate_reasons"],
            _json(final.to_struct("final"), decided).alias("final"),
            proposed["engine"],
            proposed["usage"],
            self._inputs(cases, proposed, versions).alias("inputs"),
            pl.Series("idempotency_key", keys, dtype=pl.String),
            facts["outcome"].fill_null(proposed["failure"]),
            verdicts["amount"],
            facts["pays_for"],
            facts["customer"],
            "source_batch",
            pl.col("at").alias("_known_ts"),
        )
        return frame.select(DECISIONS.schema.names)

    def _inputs(self, cases: pl.DataFrame, proposed: pl.DataFrame, versions: Mapping[str, int]) -> pl.Series:
        """What it was decided on. Written by format: the fields but two are the same for all."""
        fixed = json.dumps(
            {
                "prompt": self.agent.prompt,
                "rules": self.rules.gate.version,
                "tables": dict(sorted(versions.items())),
            }
        )[1:]
        text = pl.format(
            "{}{}{}{}{}{}{}",
            pl.lit('{"as_of":"'),
            cases["at"].dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
            pl.lit('","source_batch":'),
            cases["source_batch"],
            pl.lit(',"evidence":"'),
            proposed["evidence_sha256"],
            pl.lit('",' + fixed),
        )
        return pl.select(text).to_series()


def idempotency_key(agent: str, case_id: str) -> str:
    """The key under which money of a case moves once, whatever version decided."""
    return hashlib.sha256(f"{agent}\0{case_id}".encode()).hexdigest()


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
