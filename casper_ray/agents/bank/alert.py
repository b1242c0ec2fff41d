"""The alert agent: every transaction that a rule flags, how grave it is, and what is to be done with it."""

from __future__ import annotations

from typing import Final, Literal

import polars as pl
from polars.datatypes import DataTypeClass
from pydantic import Field

from casper_ray.agents.agent import Agent, Answer, as_proposed, without_money
from casper_ray.agents.bank.alert_policy import APPROVE, BLOCK, AlertPolicy, judgement
from casper_ray.agents.bank.rows import FLAGGED_TS
from casper_ray.agents.bank.scope import TRANSACTION_CASE, transaction_cases
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.bank.tools_customer import GET_CUSTOMER_PROFILE, GET_PRIOR_ALERTS
from casper_ray.agents.bank.tools_network import GET_COUNTERPARTY_GRAPH, GET_DEVICE_HISTORY
from casper_ray.agents.bank.tools_transaction import (
    GET_MERCHANT_RISK_SCORE,
    GET_TRANSACTION_DETAILS,
    GET_VELOCITY,
)

BLOCK_LARGE, APPROVE_GRAVE = "block_large", "approve_grave"
"""Outcomes of the gate's own: a block above the limit, and an approval of what the policy finds grave."""
_BANDS = {
    "below_p50": "an amount below the account's P50",
    "to_p95": "an amount between the account's P50 and P95",
    "to_p99": "an amount between the account's P95 and P99",
    "above_p99": "an amount above the account's P99",
    "unknown": "an amount that the account's own cannot be held against",
}
_LEAST_SURE, _MOST_SURE, _FULL_POINTS = 50, 99, 20


class Alert(Answer):
    """confidence: of the answer, not of a crime. reason: one sentence for the case's file; tokens, no names."""

    alert_level: Literal["low", "medium", "high", "critical"]
    recommended_action: Literal["approve", "hold", "block", "escalate"]
    confidence: float = Field(ge=0, le=1)
    reason: str = Field(min_length=1, max_length=500)


def propose(evidence: pl.DataFrame, settings: AlertPolicy) -> pl.DataFrame:
    """Level and action by points. The nearer to a threshold, the less sure."""
    judged = judgement(evidence, settings)
    points = pl.col("points")
    level = (
        pl.when(points < settings.hold_at)
        .then(pl.lit("low"))
        .when(points < settings.grave_at)
        .then(pl.lit("medium"))
        .when(points < settings.critical_at)
        .then(pl.lit("high"))
        .otherwise(pl.lit("critical"))
    )
    confidence = _confidence(settings)
    return judged.select(
        level.alias("alert_level"),
        pl.col("action").alias("recommended_action"),
        confidence.alias("confidence"),
        _reason().alias("reason"),
        (confidence >= settings.sure_at).alias("sure"),
    )


def _confidence(settings: AlertPolicy) -> pl.Expr:
    """Half at a threshold of the action, nearly whole from some points beyond; of what is not known none."""
    away = pl.min_horizontal(
        (pl.col("points") - edge).abs() for edge in (settings.hold_at, settings.grave_at)
    )
    percent = (_LEAST_SURE + away * (_MOST_SURE - _LEAST_SURE) // _FULL_POINTS).clip(_LEAST_SURE, _MOST_SURE)
    return pl.when("found").then((percent / 100).round(2)).otherwise(0.0)


def _reason() -> pl.Expr:
    told = pl.format(
        "{} points: {}; rules: {}; signals: {}.",
        "points",
        pl.col("band").replace_strict(_BANDS),
        _listed("reason_codes"),
        _listed("signals"),
    )
    return pl.when("found").then(told).otherwise(pl.lit("Nothing is known of the transaction.")).str.head(500)


def _listed(column: str) -> pl.Expr:
    listed = pl.col(column).list.join(", ")
    return pl.when(listed == "").then(pl.lit("none")).otherwise(listed)


def facts(
    store: BankStore, evidence: pl.DataFrame, answers: pl.DataFrame, settings: AlertPolicy
) -> pl.DataFrame:
    """What the gate is to know. No money moves; an action that data speaks against is an outcome of its own."""
    judged = judgement(evidence, settings)
    action, amount = answers["recommended_action"], judged["amount_base"]
    grave = (judged["points"] >= settings.grave_at).fill_null(False)
    outcome = pl.select(
        pl.when((action == BLOCK) & (amount > settings.block_limit).fill_null(True))
        .then(pl.lit(BLOCK_LARGE))
        .when((action == APPROVE) & grave)
        .then(pl.lit(APPROVE_GRAVE))
        .otherwise(action)
    ).to_series()
    account = evidence["get_transaction_details"].struct.field("account_token")
    return without_money(outcome, account, answers["confidence"])


def cases(store: BankStore, after: int, to: int) -> pl.DataFrame:
    """A case for each transaction flagged in batches (after, to], as of when it could be known."""
    brought = store.flagged.filter(pl.col("source_batch").is_between(after + 1, to))
    return transaction_cases(brought, TRANSACTION_CASE, FLAGGED_TS)


_COLUMNS: dict[str, pl.DataType | DataTypeClass] = {
    "alert_level": pl.String,
    "recommended_action": pl.String,
    "confidence": pl.Float64,
    "reason": pl.String,
}
_TOOLS: Final = (
    GET_TRANSACTION_DETAILS,
    GET_CUSTOMER_PROFILE,
    GET_MERCHANT_RISK_SCORE,
    GET_VELOCITY,
    GET_DEVICE_HISTORY,
    GET_COUNTERPARTY_GRAPH,
    GET_PRIOR_ALERTS,
)

ALERT: Final = Agent(
    name="alert",
    domain="bank",
    kind=TRANSACTION_CASE,
    title="A flagged transaction: approve, hold, block or escalate",
    tools=_TOOLS,
    gathers=tuple(tool.name for tool in _TOOLS),
    answer=Alert,
    answer_schema=pl.Schema(_COLUMNS),
    settings=AlertPolicy,
    prompt="alert.v1",
    policy=propose,
    facts=facts,
    final=as_proposed,
    open_store=BankStore,
    cases=cases,
)
