"""The fraud-triage agent: an account's day of alerts, explained as one case and ranked."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import polars as pl
from polars.datatypes import DataTypeClass
from pydantic import Field

from casper_ray.agents.agent import Agent, Answer, as_proposed, without_money
from casper_ray.agents.bank.alert_policy import APPROVE, ESCALATE, HOLD
from casper_ray.agents.bank.fraud_policy import FraudPolicy, columns, points, priority
from casper_ray.agents.bank.groups import GROUP_CASE, group_cases
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.bank.tools_customer import GET_CUSTOMER_PROFILE, GET_PRIOR_ALERTS
from casper_ray.agents.bank.tools_group import GET_ALERT_GROUP
from casper_ray.agents.bank.tools_network import GET_COUNTERPARTY_GRAPH, GET_DEVICE_HISTORY
from casper_ray.agents.bank.tools_transaction import (
    GET_MERCHANT_RISK_SCORE,
    GET_TRANSACTION_DETAILS,
    GET_VELOCITY,
)
from casper_ray.agents.bank.typology import NONE, RIGHT_ACTION, typologies

OTHER_LINKS, APPROVE_GRAVE = "other_links", "approve_grave"
"""Outcomes of the gate's own: links to what is not the group's, and an approval of what ranks first."""
_MOST_LINKS = 20
_GRAVE_PRIORITY = 2


class Fraud(Answer):
    """priority: 1 the gravest. linked_transactions: ids of the group's. explanation: for the file; no names."""

    priority: int = Field(ge=1, le=5)
    typology: Literal[
        "none",
        "fan_in",
        "fan_out",
        "cycle",
        "scatter_gather",
        "gather_scatter",
        "bipartite",
        "stack",
        "structuring",
        "smurfing",
        "layering",
        "funnel_account",
        "round_trip",
        "mule_network",
        "account_takeover",
        "card_testing",
        "stolen_card",
        "compromised_merchant",
        "app_scam",
        "bust_out",
        "first_party_fraud",
        "sanctions_evasion",
    ]
    linked_transactions: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        max_length=_MOST_LINKS
    )
    recommended_action: Literal["approve", "hold", "block", "escalate"]
    confidence: float = Field(ge=0, le=1)
    explanation: str = Field(min_length=1, max_length=1_000)


def propose(evidence: pl.DataFrame, settings: FraudPolicy) -> pl.DataFrame:
    """The typology by its signs, the priority by points, and the action that is right for the typology."""
    ranked = _ranked(evidence, settings)
    confidence = pl.when(pl.col("typology") == NONE).then(0.5).otherwise(0.75)
    return ranked.select(
        "priority",
        "typology",
        pl.col("transactions").fill_null([]).list.head(_MOST_LINKS).alias("linked_transactions"),
        _action(settings).alias("recommended_action"),
        pl.when("found").then(confidence).otherwise(0.0).alias("confidence"),
        _explanation().alias("explanation"),
        (pl.col("found") & (confidence >= settings.sure_at)).alias("sure"),
    )


def _ranked(evidence: pl.DataFrame, settings: FraudPolicy) -> pl.DataFrame:
    """`columns`, with typology, points and priority."""
    rows = columns(evidence)
    rows = rows.with_columns(typologies(rows, settings))
    graded = rows.with_columns(points(settings).fill_null(0).alias("points"))
    return graded.with_columns(priority(pl.col("points"), settings).alias("priority"))


def _action(settings: FraudPolicy) -> pl.Expr:
    """The typology's; without one what the points say: look into what ranks high, hold what does not rank low."""
    return (
        pl.when(pl.col("typology") != NONE)
        .then(pl.col("typology").replace_strict(RIGHT_ACTION, return_dtype=pl.String))
        .when(pl.col("priority") <= _GRAVE_PRIORITY)
        .then(pl.lit(ESCALATE))
        .when(pl.col("points") >= settings.hold_at)
        .then(pl.lit(HOLD))
        .otherwise(pl.lit(APPROVE))
    )


def _explanation() -> pl.Expr:
    told = pl.format(
        "{} alerts of {} EUR in all, flagged by {}; the gravest is a {}. It looks like {}; {} points.",
        "alerts",
        "total",
        pl.col("codes").list.join(", "),
        pl.col("transaction_type").fill_null("transaction that is not known"),
        pl.col("typology").replace(NONE, "nothing known"),
        "points",
    )
    return pl.when("found").then(told).otherwise(pl.lit("There is no alert of the group.")).str.head(1_000)


def facts(
    store: BankStore, evidence: pl.DataFrame, answers: pl.DataFrame, settings: FraudPolicy
) -> pl.DataFrame:
    """What the gate is to know. No money moves; links are held against the group, whatever the answer says."""
    ranked = _ranked(evidence, settings)
    action, group = answers["recommended_action"], ranked["transactions"].fill_null([])
    other = answers["linked_transactions"].fill_null([]).list.set_difference(group).list.len() > 0
    outcome = pl.select(
        pl.when(action.is_not_null() & other)
        .then(pl.lit(OTHER_LINKS))
        .when((action == APPROVE) & (ranked["priority"] <= _GRAVE_PRIORITY))
        .then(pl.lit(APPROVE_GRAVE))
        .otherwise(action)
    ).to_series()
    account = evidence["subject"].str.split("@").list.first()
    return without_money(outcome, account, answers["confidence"])


_COLUMNS: dict[str, pl.DataType | DataTypeClass] = {
    "priority": pl.Int64,
    "typology": pl.String,
    "linked_transactions": pl.List(pl.String),
    "recommended_action": pl.String,
    "confidence": pl.Float64,
    "explanation": pl.String,
}
_GATHERS: Final = (
    GET_ALERT_GROUP,
    GET_TRANSACTION_DETAILS,
    GET_CUSTOMER_PROFILE,
    GET_VELOCITY,
    GET_DEVICE_HISTORY,
    GET_COUNTERPARTY_GRAPH,
)

FRAUD: Final = Agent(
    name="fraud",
    domain="bank",
    kind=GROUP_CASE,
    title="An account's day of alerts: what it is, how urgent, and what is to be done",
    tools=(*_GATHERS, GET_MERCHANT_RISK_SCORE, GET_PRIOR_ALERTS),
    gathers=tuple(tool.name for tool in _GATHERS),
    answer=Fraud,
    answer_schema=pl.Schema(_COLUMNS),
    settings=FraudPolicy,
    prompt="fraud.v1",
    policy=propose,
    facts=facts,
    final=as_proposed,
    open_store=BankStore,
    cases=group_cases,
)
