"""The cascade: the policy where it is sure, a model for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from casper_ray.agents.engines.engine import Ask, Engine
from casper_ray.agents.engines.policy import PolicyEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """first: says of each answer whether it is sure of it. then: is asked where it is not; rows say who answered."""

    then: Engine
    first: Engine = field(default_factory=PolicyEngine)
    name: str = "cascade"

    @property
    def deterministic(self) -> bool:
        return self.first.deterministic and self.then.deterministic

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"name": self.name, "first": dict(self.first.settings), "then": dict(self.then.settings)}

    def propose(self, ask: Ask) -> pl.DataFrame:
        proposed = self.first.propose(ask).with_row_index("place")
        unsure = ~proposed["sure"].fill_null(False)
        if not unsure.any():
            return proposed.drop("place")
        asked = self.then.propose(replace(ask, evidence=ask.evidence.filter(unsure)))
        places = proposed.filter(unsure)["place"]
        both = pl.concat(
            [proposed.filter(~unsure), asked.select(places, *proposed.columns[1:])], how="vertical"
        )
        return both.sort("place").drop("place")
