"""The credit agent: whether a credit line is raised, kept, lowered or frozen."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import polars as pl
from polars.datatypes import DataTypeClass
from pydantic import Field

from casper_ray.agents.agent import Agent, Answer
from casper_ray.agents.bank.balances import GET_ACCOUNT_BALANCE_HISTORY, money
from casper_ray.agents.bank.credit_cases import CREDIT_CASE, cases
from casper_ray.agents.bank.credit_lines import CreditStore
from casper_ray.agents.gate import MONEY
from casper_ray.spec import Spec

INCREASE, KEEP, DECREASE, FREEZE = "increase", "keep", "decrease", "freeze"
LARGE: Final = "large_increase"
OTHER_LIMIT: Final = "other_limit"
UNFOUNDED: Final = "unfounded_decision"
"""Outcomes for people: a rise too large for a machine; another limit than data gives; not what data speaks for."""
_ROUND: Final = 100_00
_TEXTS: Final = {
    FREEZE: "Three days' purchases are {} % of the limit, the largest one {} %, unlike before.",
    DECREASE: "{} % of the limit is owed and little of it was paid.",
    INCREASE: "Bills of {} % of what was bought were paid, and the line is used.",
    KEEP: "{} % of the limit is owed, and nothing speaks for another one.",
}


class CreditReview(Answer):
    """new_limit: EUR, of the line from now on; when it is frozen, what is owed."""

    decision: Literal["increase", "keep", "decrease", "freeze"]
    new_limit: Decimal = Field(ge=0, le=1_000_000, decimal_places=2)
    confidence: float = Field(ge=0, le=1)
    reason: str = Field(min_length=1, max_length=300)


class Frozen(Spec):
    """A line that is run up: shares of the limit spent in three days, and by one purchase; times the usual.

    purchases_3d: so many of them. charged_back: or so many disputed in 90 days.
    """

    spent_3d: float = Field(gt=0, le=1)
    largest_3d: float = Field(gt=0, le=1)
    purchases_3d: int = Field(ge=1)
    times_usual: float = Field(ge=1)
    charged_back: int = Field(ge=1)


class Lowered(Spec):
    """A line that is not paid: so much of it owed, and less than `paid` of that paid. factor: of the limit."""

    utilisation: float = Field(gt=0, le=1)
    paid: float = Field(gt=0, le=1)
    factor: Decimal = Field(gt=0, lt=1)


class Raised(Spec):
    """A line that is used and paid. most: EUR; alone_up_to: a rise above it is for a person."""

    days_known: int = Field(ge=1)
    peak: float = Field(gt=0, lt=1)
    utilisation: float = Field(gt=0, le=1)
    paid: float = Field(gt=0, le=1)
    factor: Decimal = Field(gt=1, le=2)
    most: Decimal = Field(gt=0)
    alone_up_to: Decimal = Field(gt=0)


class CreditPolicy(Spec):
    """When a line is frozen, lowered, raised; the first that holds. Else it is kept."""

    freeze: Frozen
    decrease: Lowered
    increase: Raised


def propose(evidence: pl.DataFrame, settings: CreditPolicy) -> pl.DataFrame:
    """By use, payment and bursts. A line of which nothing is told is kept, at 0."""
    rows = evidence.select(pl.col("get_account_balance_history").struct.unnest())
    decision = _decision(settings)
    burst, largest = _share("spent_3d"), _share("largest_3d")
    owed = pl.col("utilisation").fill_null(0.0)
    numbers = {
        FREEZE: (_percent(burst), _percent(largest)),
        DECREASE: (_percent(owed),),
        INCREASE: (_percent(_of("paid_60d", "spent_60d")),),
        KEEP: (_percent(owed),),
    }
    reason = pl.lit(None, pl.String)
    for kind, text in _TEXTS.items():
        reason = pl.when(decision == kind).then(pl.format(text, *numbers[kind])).otherwise(reason)
    gap = (burst - settings.freeze.spent_3d).abs() / settings.freeze.spent_3d
    sure = pl.min_horizontal(pl.lit(0.95), 0.6 + 0.35 * gap).fill_null(0.0)
    told = rows.with_columns(decision.alias("decision"))
    return told.select(
        "decision",
        _new_limit(settings).alias("new_limit"),
        pl.when(pl.col("decision") == FREEZE).then(sure).otherwise(0.8).round(2).alias("confidence"),
        reason.alias("reason"),
        (~pl.col("decision").is_in([FREEZE]) | (gap > 0.25)).fill_null(False).alias("sure"),
    )


def _decision(settings: CreditPolicy) -> pl.Expr:
    freeze, lower, rise = settings.freeze, settings.decrease, settings.increase
    run_up = (
        (_share("spent_3d") >= freeze.spent_3d)
        & (_share("largest_3d") >= freeze.largest_3d)
        & (pl.col("purchases_3d") >= freeze.purchases_3d)
        & (_float("spent_3d") >= freeze.times_usual * _float("usual_3d"))
    )
    disputed = pl.col("charged_back_90d") >= freeze.charged_back
    unpaid = (pl.col("utilisation") >= lower.utilisation) & (_of("paid_60d", "owed") < lower.paid)
    good = (
        (pl.col("days_known") >= rise.days_known)
        & (pl.col("peak_60d") >= rise.peak)
        & (pl.col("utilisation") <= rise.utilisation)
        & (_of("paid_60d", "spent_60d") >= rise.paid)
        & (pl.col("charged_back_90d") == 0)
        & (pl.col("credit_limit") + _ROUND // 100 <= rise.most)
    )
    return (
        pl.when((run_up | disputed).fill_null(False))
        .then(pl.lit(FREEZE))
        .when(unpaid.fill_null(False))
        .then(pl.lit(DECREASE))
        .when(good.fill_null(False))
        .then(pl.lit(INCREASE))
        .otherwise(pl.lit(KEEP))
    )


def _new_limit(settings: CreditPolicy) -> pl.Expr:
    """What data gives for `decision`, of credit_limit and owed: whole hundreds, but what is owed to the cent."""
    cents = pl.col("credit_limit").to_physical().cast(pl.Int64).fill_null(0)
    owed = pl.col("owed").to_physical().cast(pl.Int64).fill_null(0).clip(lower_bound=0)
    rise, lower = settings.increase, settings.decrease
    raised = cents * int(rise.factor * 1_000) // 1_000 // _ROUND * _ROUND
    raised = pl.max_horizontal(cents, pl.min_horizontal(raised, pl.lit(int(rise.most * 100))))
    lowered = cents * int(lower.factor * 1_000) // 1_000 // _ROUND * _ROUND
    lowered = pl.min_horizontal(cents, pl.max_horizontal(lowered, owed))
    limit = (
        pl.when(pl.col("decision") == INCREASE)
        .then(raised)
        .when(pl.col("decision") == DECREASE)
        .then(lowered)
        .when(pl.col("decision") == FREEZE)
        .then(pl.min_horizontal(cents, owed))
        .otherwise(cents)
    )
    return money(limit)


def facts(
    store: CreditStore, evidence: pl.DataFrame, answers: pl.DataFrame, settings: CreditPolicy
) -> pl.DataFrame:
    """What the gate is to know. A line is no payment, so nothing moves; but limit and decision have to be data's.

    Rules: not to raise what could be raised is the one other decision that needs no person.
    """
    due = propose(evidence, settings)["decision"]
    line = evidence.select(pl.col("get_account_balance_history").struct.unnest())
    rows = line.with_columns(answers["decision"], answers["new_limit"])
    given = _new_limit(settings)
    decision = pl.col("decision")
    rise = pl.col("new_limit") - pl.col("credit_limit")
    outcome = (
        pl.when(decision.is_null())
        .then(pl.lit(None, pl.String))
        .when((pl.col("new_limit") != given).fill_null(True))
        .then(pl.lit(OTHER_LIMIT))
        .when((decision != due) & ~((decision == KEEP) & (due == INCREASE)))
        .then(pl.lit(UNFOUNDED))
        .when((decision == INCREASE) & (rise > settings.increase.alone_up_to))
        .then(pl.lit(LARGE))
        .otherwise(decision)
    )
    zero = pl.lit(0).cast(MONEY)
    return rows.select(
        outcome.alias("outcome"),
        zero.alias("asked"),
        pl.when(decision.is_not_null()).then(zero).alias("amount"),
        pl.lit(None, MONEY).alias("payable"),
        evidence["subject"].alias("pays_for"),
        evidence["subject"].alias("customer"),
        answers["confidence"],
    )


def final(answers: pl.DataFrame, amounts: pl.Series) -> pl.DataFrame:
    """The answer as it is: the gate lets none through whose limit is not the one that data gives."""
    return answers


def _share(name: str) -> pl.Expr:
    return _of(name, "credit_limit")


def _of(part: str, whole: str) -> pl.Expr:
    """A share, null where there is no whole."""
    return pl.when(pl.col(whole) > 0).then(_float(part) / _float(whole))


def _float(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64)


def _percent(share: pl.Expr) -> pl.Expr:
    return (share * 100).round(0).fill_null(0.0).cast(pl.Int64)


_COLUMNS: dict[str, pl.DataType | DataTypeClass] = {
    "decision": pl.String,
    "new_limit": MONEY,
    "confidence": pl.Float64,
    "reason": pl.String,
}

CREDIT: Final = Agent(
    name="credit",
    domain="bank",
    kind=CREDIT_CASE,
    title="A credit line's limit",
    tools=(GET_ACCOUNT_BALANCE_HISTORY,),
    gathers=(GET_ACCOUNT_BALANCE_HISTORY.name,),
    answer=CreditReview,
    answer_schema=pl.Schema(_COLUMNS),
    settings=CreditPolicy,
    prompt="credit.v1",
    policy=propose,
    facts=facts,
    final=final,
    open_store=CreditStore,
    cases=cases,
)
