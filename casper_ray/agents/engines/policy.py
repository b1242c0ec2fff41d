"""The policy engine: the agent's own rules over columns. The embedded default, and the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from casper_ray.agents.engines.engine import Ask, digests, told_by


class PolicyEngine:
    """Many cases at once; the same answer again for the same evidence."""

    name = "policy"
    deterministic = True

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"name": self.name}

    def propose(self, ask: Ask) -> pl.DataFrame:
        made = ask.agent.policy(ask.evidence, ask.rules.policy)
        answers = made.select(pl.struct(ask.agent.answer_schema.names()).alias("answer"), "sure")
        return answers.with_columns(
            pl.lit(None, pl.String).alias("failure"),
            told_by(ask.evidence, ask.agent),
            digests(ask.evidence, ask.agent),
            pl.lit(self.name).alias("engine"),
            pl.lit("{}").alias("usage"),
        )
