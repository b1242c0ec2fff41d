"""What an engine is: something that proposes, case by case or many at once. It never decides."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import polars as pl
from polars.datatypes import DataTypeClass

from casper_ray.agents.agent import Agent, Rules

_PROPOSED: dict[str, pl.DataType | DataTypeClass] = {
    "failure": pl.String,
    "evidence": pl.List(pl.String),
    "evidence_sha256": pl.String,
    "engine": pl.String,
    "usage": pl.String,
}
PROPOSED: Final = pl.Schema(_PROPOSED)
"""Beside an answer: failure, why there is none (null: there is one); evidence, tools that had something to tell;
evidence_sha256, of the case and what they told; engine, who answered; usage, JSON: what it took.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Cases for an engine. evidence: what `tools.gathered` returns for them, in their order."""

    agent: Agent
    rules: Rules
    store: Any
    evidence: pl.DataFrame


class Engine(Protocol):
    """Proposes answers. Never raises for one case: what went wrong is the case's `failure`."""

    @property
    def name(self) -> str:
        """As decisions name it."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What of it can change an answer, for the agent's version. No secrets."""

    @property
    def deterministic(self) -> bool:
        """Whether the same case gives the same answer again."""

    def propose(self, ask: Ask) -> pl.DataFrame:
        """One row per case, in order: a struct `answer` of the agent's `answer_schema` (null: none), whether the
        engine is `sure`, and `PROPOSED`.
        """


def told_by(evidence: pl.DataFrame, agent: Agent) -> pl.Series:
    """Names of the gathered tools that had something to tell, per row."""
    if not agent.gathers:
        return pl.Series("evidence", [[]] * evidence.height, dtype=pl.List(pl.String))
    told = pl.concat_list(
        pl.when(pl.col(name).struct.field("found")).then(pl.lit(name)) for name in agent.gathers
    ).list.drop_nulls()
    return evidence.select(told.alias("evidence")).to_series()


def digests(evidence: pl.DataFrame, agent: Agent) -> pl.Series:
    """SHA-256 of the case, its text too, and of what the gathered tools told, per row."""
    told = pl.struct("case_id", "at", "text", *agent.gathers).struct.json_encode()
    texts = evidence.select(told).to_series().to_list()
    found = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    return pl.Series("evidence_sha256", found, dtype=pl.String)
