"""What the alert agent's policy makes of the tools' answers: points for the amount, the rules' codes and signals."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Self

import polars as pl
from pydantic import Field, model_validator

from casper_ray.agents.bank.signs import Signs
from casper_ray.domain.bank import CARD, OUT
from casper_ray.spec import Spec

APPROVE, HOLD, BLOCK, ESCALATE = "approve", "hold", "block", "escalate"
ACTIONS: Final = (APPROVE, HOLD, BLOCK, ESCALATE)
_MINUTES = 60
_THIEF: Final = ("new_device", "enrolled_lately", "shared_device")
"""Signals of somebody else at the account: what is under way is stopped, not only looked into."""


class AmountPoints(Spec):
    """Points by where the amount stands among the account's own."""

    below_p50: int = Field(ge=0)
    to_p95: int = Field(ge=0)
    to_p99: int = Field(ge=0)
    above_p99: int = Field(ge=0)
    unknown: int = Field(ge=0)


class SignalPoints(Spec):
    """Points of each signal."""

    new_device: int = Field(ge=0)
    enrolled_lately: int = Field(ge=0)
    shared_device: int = Field(ge=0)
    new_payee: int = Field(ge=0)
    velocity: int = Field(ge=0)
    far: int = Field(ge=0)
    declined: int = Field(ge=0)
    passed_on: int = Field(ge=0)
    many_parties: int = Field(ge=0)
    merchant: int = Field(ge=0)
    prior_alerts: int = Field(ge=0)


class AlertPolicy(Signs):
    """The `policy:` part of configs/policies/alert.yml, which says what each is."""

    least_transactions: int = Field(ge=1)
    amount: AmountPoints
    codes: Mapping[str, int]
    signals: SignalPoints
    velocity_1h: int = Field(ge=1)
    far_km: int = Field(ge=0)
    declined_24h: int = Field(ge=1)
    merchant_accounts_30d: int = Field(ge=1)
    hold_at: int = Field(ge=1)
    grave_at: int = Field(ge=1)
    critical_at: int = Field(ge=1)
    sure_at: float = Field(ge=0, le=1)
    block_limit: Decimal = Field(ge=0)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.hold_at < self.grave_at < self.critical_at:
            raise ValueError("hold_at, grave_at and critical_at must rise")
        return self


def judgement(evidence: pl.DataFrame, settings: AlertPolicy) -> pl.DataFrame:
    """The points of each case, and what they are for.

    Returns: one row per case: found (the transaction was known), points, band (of the amount), signals (their names),
             action, amount_base, feed.
    """
    rows = _columns(evidence)
    signals = _signals(settings)
    weights = settings.signals.model_dump()
    band = _band(settings)
    points = pl.sum_horizontal(
        band.replace_strict(settings.amount.model_dump(), return_dtype=pl.Int64),
        pl.col("reason_codes").list.eval(_points_of(pl.element(), settings.codes)).list.sum().fill_null(0),
        *(pl.when(holds).then(weights[name]).otherwise(0) for name, holds in signals.items()),
    )
    named = pl.concat_list(
        pl.when(holds).then(pl.lit(name)) for name, holds in signals.items() if weights[name]
    )
    judged = rows.with_columns(
        points.cast(pl.Int64).alias("points"), band.alias("band"), named.list.drop_nulls().alias("signals")
    )
    return judged.select(
        "found",
        "points",
        "band",
        "signals",
        _action(settings).alias("action"),
        "amount_base",
        "feed",
        pl.col("reason_codes").fill_null([]),
    )


def _columns(evidence: pl.DataFrame) -> pl.DataFrame:
    """What is told of each case, as columns."""
    fields = {
        "get_transaction_details": (
            "found",
            "feed",
            "direction",
            "status",
            "amount_base",
            "reason_codes",
        ),
        "get_customer_profile": ("own_transactions", "own_p50", "own_p95", "own_p99"),
        "get_merchant_risk_score": ("flagged_accounts_30d",),
        "get_velocity": ("out_count_1h", "declined_24h", "km_from_home"),
        "get_device_history": ("new_device", "accounts", "enrolled_min"),
        "get_counterparty_graph": ("new_payee", "payees_7d", "payers_7d", "passed_on"),
        "get_prior_alerts": ("alerts_7d",),
    }
    return evidence.select(pl.col(tool).struct.field(*names) for tool, names in fields.items())


def _signals(settings: AlertPolicy) -> dict[str, pl.Expr]:
    """Whether each signal is there; what is not known is no signal."""
    least, most = settings.passed_on
    many = settings.many_parties_7d
    found = {
        "new_device": pl.col("new_device"),
        "enrolled_lately": pl.col("enrolled_min") < settings.enrolled_lately_h * _MINUTES,
        "shared_device": pl.col("accounts") >= settings.shared_accounts,
        "new_payee": pl.col("new_payee"),
        "velocity": pl.col("out_count_1h") >= settings.velocity_1h,
        "far": pl.col("km_from_home") >= settings.far_km,
        "declined": pl.col("declined_24h") >= settings.declined_24h,
        "passed_on": pl.col("passed_on").is_between(least, most),
        "many_parties": (pl.col("payees_7d") >= many) | (pl.col("payers_7d") >= many),
        "merchant": pl.col("flagged_accounts_30d") >= settings.merchant_accounts_30d,
        "prior_alerts": pl.col("alerts_7d") > 0,
    }
    return {name: holds.fill_null(False) for name, holds in found.items()}


def _band(settings: AlertPolicy) -> pl.Expr:
    """Where the amount stands. The percentiles are of payments: what comes in stands nowhere."""
    amount = pl.col("amount_base").cast(pl.Float64)
    told = (
        (pl.col("own_transactions") >= settings.least_transactions)
        & (pl.col("direction") == OUT)
        & pl.col("own_p50").is_not_null()
    ).fill_null(False)
    return (
        pl.when(~told)
        .then(pl.lit("unknown"))
        .when(amount > pl.col("own_p99"))
        .then(pl.lit("above_p99"))
        .when(amount > pl.col("own_p95"))
        .then(pl.lit("to_p99"))
        .when(amount >= pl.col("own_p50"))
        .then(pl.lit("to_p95"))
        .otherwise(pl.lit("below_p50"))
    )


def _points_of(code: pl.Expr, points: Mapping[str, int]) -> pl.Expr:
    return code.replace_strict(dict(points), default=0, return_dtype=pl.Int64)


def _action(settings: AlertPolicy) -> pl.Expr:
    """What is to be done. What was declined cannot be blocked any more: it is looked into."""
    thief = pl.any_horizontal(pl.col("signals").list.contains(name) for name in _THIEF)
    stopped = ((pl.col("feed") == CARD) | thief) & (pl.col("status") != "declined")
    return (
        pl.when(pl.col("points") < settings.hold_at)
        .then(pl.lit(APPROVE))
        .when(pl.col("points") < settings.grave_at)
        .then(pl.lit(HOLD))
        .when(stopped)
        .then(pl.lit(BLOCK))
        .otherwise(pl.lit(ESCALATE))
    )
