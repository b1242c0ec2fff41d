"""What the fraud agent may ask of its own case: the alerts of the account's day."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

import polars as pl
from pydantic import Field

from casper_ray.agents.bank.groups import alerts_of_groups
from casper_ray.agents.bank.rows import FLAGGED_TS
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.tools import Arguments, Result, Tool


class OfGroup(Arguments):
    """alert_group: an account's token, `@`, and a day."""

    alert_group: str = Field(max_length=150)


class AlertGroup(Result):
    """The alerts of an account's day, the gravest first, at most 50: each list has one entry per alert.

    decided: the alert agent's outcomes, null where it decided nothing. total: of the amounts, EUR. highest_score: of
    the rules' points. codes: of the rules, each once.
    """

    alerts: int | None
    highest_score: int | None
    total: Decimal | None
    codes: list[str] | None
    transactions: list[str] | None
    types: list[str] | None
    amounts: list[Decimal] | None
    instants: list[datetime] | None
    decided: list[str | None] | None


def _own_group(store: BankStore, cases: pl.DataFrame) -> pl.DataFrame:
    return cases.select(pl.col("subject").str.head(150).alias("alert_group"))


def alert_groups(store: BankStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`AlertGroup` of each asked group."""
    rows = alerts_of_groups(store, asked.with_columns(pl.col("alert_group").alias("subject")))
    told = rows.group_by("row", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("alerts"),
        pl.col("risk_score").max().alias("highest_score"),
        pl.col("amount_base").sum().cast(pl.Decimal(18, 2)).alias("total"),
        pl.col("reason_codes")
        .list.explode(keep_nulls=False, empty_as_null=False)
        .unique()
        .sort()
        .alias("codes"),
        pl.col("transaction_id").alias("transactions"),
        pl.col("transaction_type").alias("types"),
        pl.col("amount_base").alias("amounts"),
        pl.col(FLAGGED_TS).alias("instants"),
        pl.col("decided"),
    )
    return (
        asked.select("at")
        .with_row_index("row")
        .join(told, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("alerts").is_not_null().alias("found"))
        .select(list(AlertGroup.model_fields))
    )


GET_ALERT_GROUP: Final = Tool(
    name="get_alert_group",
    description="The alerts of the account's day: transactions, amounts, rules, and what was decided on each.",
    arguments=OfGroup,
    result=AlertGroup,
    answer=alert_groups,
    own=_own_group,
)
