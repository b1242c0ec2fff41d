"""What a version's decisions come to, in figures."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from casper_ray.agents.gate import APPROVED, CLIPPED, MONEY, QUEUED, REFUSED

_ZERO = Decimal("0.00")


class Figures(NamedTuple):
    """counts: by name. money: exact, by name. usage: sums of what engines told. per_second: None: no time passed."""

    counts: dict[str, int]
    money: dict[str, Decimal]
    usage: dict[str, float]
    per_second: float | None

    @property
    def metrics(self) -> dict[str, float]:
        """All of it by name, as MLflow keeps numbers."""
        found = {**self.counts, **{name: float(amount) for name, amount in self.money.items()}, **self.usage}
        return found if self.per_second is None else {**found, "decisions_per_second": self.per_second}


def figures(decisions: pl.DataFrame, answer_schema: pl.Schema) -> Figures:
    """Figures of one version's decisions.

    decisions: rows of `DECISIONS`. answer_schema: the agent's; its money columns are what proposals ask for.
    Returns: counts `cases`, `outcome.X`, `gate.X`, `first_batch`, `last_batch`; money `money_approved` (may move) and
             what proposals asked for that the gate refused or sent to a person; usage `usage.X` sums.
    Rules:   per second of wall time between the first and the last decision; bulk decisions share one instant.
    """
    counts = {"cases": decisions.height}
    for column, prefix in (("outcome", "outcome"), ("gate_action", "gate")):
        named = decisions[column].fill_null("none")
        counts |= {f"{prefix}.{name}": number for name, number in sorted(Counter(named.to_list()).items())}
    if decisions.height:
        batches = decisions.select(first=pl.col("source_batch").min(), last=pl.col("source_batch").max())
        counts |= {f"{end}_batch": int(batches[end].item()) for end in ("first", "last")}
    return Figures(
        counts, _money(decisions, answer_schema), _usage(decisions["usage"]), _per_second(decisions)
    )


def _money(decisions: pl.DataFrame, answer_schema: pl.Schema) -> dict[str, Decimal]:
    fields = [name for name, kind in answer_schema.items() if kind == MONEY]
    asked = [
        pl.col("proposal").str.json_path_match(f"$.{field}").cast(MONEY).fill_null(_ZERO) for field in fields
    ]
    rows = decisions.select("gate_action", "amount", pl.sum_horizontal(*asked, pl.lit(_ZERO)).alias("asked"))
    approved = rows.filter(pl.col("gate_action").is_in([APPROVED, CLIPPED]))["amount"]
    by_action = {action: rows.filter(gate_action=action)["asked"] for action in (REFUSED, QUEUED)}
    sums = {"money_approved": approved} | {f"money_{action}": asked for action, asked in by_action.items()}
    return {name: sum(amounts.drop_nulls().to_list(), _ZERO) for name, amounts in sums.items()}


def _usage(texts: pl.Series) -> dict[str, float]:
    """Sums of the numbers that usage tells, as `usage.NAME`. Most rows of a policy tell the same."""
    sums: Counter[str] = Counter()
    for text, number in Counter(texts.drop_nulls().to_list()).items():
        for name, value in json.loads(text).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                sums[f"usage.{name}"] += value * number  # type: ignore[assignment]
    return {name: float(total) for name, total in sorted(sums.items())}


def _per_second(decisions: pl.DataFrame) -> float | None:
    at = decisions["decided_at"].dt.epoch("us")
    if at.n_unique() < 2:
        return None
    return float(decisions.height / ((at.max() - at.min()) / 1e6))  # type: ignore[operator]
