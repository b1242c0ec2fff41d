"""What an agent may ask of an account: whose it is, what is usual of it, and what was flagged before."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import polars as pl

from casper_ray.agents.bank.rows import FLAGGED_TS
from casper_ray.agents.bank.scope import OfAccount, own_account
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.features.cases import CASE_SCHEMA
from casper_ray.agents.tools import Result, Tool

_LISTED = 20
_DAY, _WEEK, _MONTH = (timedelta(days=days) for days in (1, 7, 30))
_PROFILE = (
    "segment",
    "income_band",
    "country",
    "branch_id",
    "devices",
    "limit_card",
    "limit_atm",
    "limit_wire",
)


class CustomerProfile(Result):
    """Who has the account, as last known, and its usual spending. Money in EUR; limits are of a day.

    own_transactions: payments of the days before, which the next four rest on. own_p50, own_p95, own_p99: amounts
    below which that share of them are. night_share: of them between 22:00 and 04:00.
    """

    segment: str | None
    income_band: str | None
    country: str | None
    branch_id: str | None
    devices: int | None
    limit_card: Decimal | None
    limit_atm: Decimal | None
    limit_wire: Decimal | None
    own_transactions: int | None
    own_p50: float | None
    own_p95: float | None
    own_p99: float | None
    night_share: float | None


class PriorAlerts(Result):
    """Flagged transactions of the account before the case's instant, of 30 days. transactions: the newest 20."""

    alerts_24h: int | None
    alerts_7d: int | None
    alerts_30d: int | None
    highest_score: int | None
    codes: list[str] | None
    last: datetime | None
    transactions: list[str] | None


def customer_profiles(store: BankStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`CustomerProfile` of each asked account."""
    cases = asked.select(
        (pl.col(name) if name in ("case_id", "account_token", "at") else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in CASE_SCHEMA.items()
    )
    usual = store.features_of(cases)
    known = store.customers_at(asked.select("account_token", "at"))
    rows = pl.concat([known.select("customer_id", *_PROFILE), usual.drop("case_id")], how="horizontal")
    found = pl.col("customer_id").is_not_null() | (pl.col("own_transactions") > 0)
    return rows.with_columns(found.alias("found")).select(
        "found",
        *_PROFILE,
        pl.when("found").then("own_transactions").alias("own_transactions"),
        "own_p50",
        "own_p95",
        "own_p99",
        "night_share",
    )


def prior_alerts(store: BankStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`PriorAlerts` of each asked account. What became known at the case's very instant is not before it."""
    cases = asked.select("account_token", "at").with_row_index("row")
    before = (
        cases.join(store.flagged_by("account_token", asked["account_token"]), on="account_token")
        .with_columns((pl.col("at") - pl.col(FLAGGED_TS)).alias("age"))
        .filter(pl.col("age") > timedelta(0), pl.col("age") <= _MONTH)
        .sort("row", "age", "transaction_id")
    )
    told = before.group_by("row", maintain_order=True).agg(
        (pl.col("age") <= _DAY).sum().cast(pl.Int64).alias("alerts_24h"),
        (pl.col("age") <= _WEEK).sum().cast(pl.Int64).alias("alerts_7d"),
        pl.len().cast(pl.Int64).alias("alerts_30d"),
        pl.col("risk_score").max().alias("highest_score"),
        pl.col("reason_codes")
        .list.explode(keep_nulls=False, empty_as_null=False)
        .unique()
        .sort()
        .alias("codes"),
        pl.col(FLAGGED_TS).max().alias("last"),
        pl.col("transaction_id").head(_LISTED).alias("transactions"),
    )
    return (
        cases.select("row")
        .join(told, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("alerts_30d").is_not_null().alias("found"))
        .select(list(PriorAlerts.model_fields))
    )


GET_CUSTOMER_PROFILE: Final = Tool(
    name="get_customer_profile",
    description="Whose account it is (segment, limits), and the amounts that are usual of it.",
    arguments=OfAccount,
    result=CustomerProfile,
    answer=customer_profiles,
    own=own_account,
)
GET_PRIOR_ALERTS: Final = Tool(
    name="get_prior_alerts",
    description="What of the account was flagged in the 30 days before, by which rules, and how gravely.",
    arguments=OfAccount,
    result=PriorAlerts,
    answer=prior_alerts,
    own=own_account,
)
