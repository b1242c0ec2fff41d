"""The fraud agent's settings, and what tools tell of a group as columns."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Self

import polars as pl
from pydantic import Field, model_validator

from casper_ray.agents.bank.signs import Signs

_FIELDS: Final = {
    "get_alert_group": ("found", "alerts", "highest_score", "total", "codes", "transactions", "decided"),
    "get_transaction_details": ("transaction_type", "card_type", "channel", "amount_base"),
    "get_customer_profile": ("own_p99",),
    "get_velocity": ("out_count_1h", "out_count_24h"),
    "get_device_history": ("new_device", "accounts", "enrolled_min"),
    "get_counterparty_graph": ("payees_7d", "payers_7d", "both_ways", "passed_on", "new_payee"),
}


class FraudPolicy(Signs):
    """The `policy:` part of configs/policies/fraud.yml, which says what each is."""

    decided: Mapping[str, int]
    decided_otherwise: int = Field(ge=0)
    each_alert: int = Field(ge=0)
    typology: int = Field(ge=0)
    priority_at: tuple[int, int, int, int]
    many_payments_1h: int = Field(ge=1)
    many_on_credit_24h: int = Field(ge=1)
    tiny_eur: Decimal = Field(gt=0)
    hold_at: int = Field(ge=0)
    sure_at: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if sorted(self.priority_at, reverse=True) != list(self.priority_at):
            raise ValueError("priority_at must fall from priority 1 to 4")
        return self


def columns(evidence: pl.DataFrame) -> pl.DataFrame:
    """What is told of each group and of its gravest alert."""
    return evidence.select(pl.col(tool).struct.field(*names) for tool, names in _FIELDS.items())


def points(settings: FraudPolicy) -> pl.Expr:
    """Of a group, over `columns` and `typology`: the gravest alert's, how many, and what was found."""
    weight = pl.element().replace_strict(
        dict(settings.decided), default=settings.decided_otherwise, return_dtype=pl.Int64
    )
    decided = pl.col("decided").list.drop_nulls().list.eval(weight).list.max()
    return pl.sum_horizontal(
        pl.col("highest_score"),
        decided.fill_null(0),
        (pl.col("alerts") - 1) * settings.each_alert,
        pl.when(pl.col("typology") != "none").then(settings.typology).otherwise(0),
    )


def priority(grade: pl.Expr, settings: FraudPolicy) -> pl.Expr:
    """1 to 5 by points, 1 the gravest."""
    return (5 - pl.sum_horizontal((grade >= least).cast(pl.Int64) for least in settings.priority_at)).clip(
        1, 5
    )
