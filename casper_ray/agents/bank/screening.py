"""The screening agent: every transfer with a counterparty outside, and whether it may be on the sanctions list."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

import polars as pl
from polars.datatypes import DataTypeClass
from pydantic import Field, model_validator

from casper_ray.agents.agent import Agent, Answer, as_proposed
from casper_ray.agents.bank.sanctions_store import ScreeningStore
from casper_ray.agents.bank.sanctions_tool import MATCH_SANCTIONS, own_wire
from casper_ray.agents.bank.scope import transaction_cases
from casper_ray.agents.bank.tools_transaction import GET_TRANSACTION_DETAILS
from casper_ray.agents.gate import MONEY
from casper_ray.lakehouse.read import KNOWN
from casper_ray.spec import Spec

WIRE_CASE: Final = "wire"
CLEAR, POSSIBLE, TRUE_MATCH = "clear", "possible", "true_match"
RELEASE, HOLD, BLOCK = "release", "hold", "block"
_ACTIONS: Final = {CLEAR: RELEASE, POSSIBLE: HOLD, TRUE_MATCH: BLOCK}
_AS_TOLD: Final = 0.01
UNFOUNDED: Final = "not_as_the_list_says"
"""The gate's outcome of an answer that is not what score and thresholds say."""


class Screening(Answer):
    """list_entry: the entry's id, null where it is clear. score: as the tool told it."""

    match: Literal["clear", "possible", "true_match"]
    list_entry: str | None = Field(max_length=40)
    score: float = Field(ge=0, le=1)
    recommended_action: Literal["release", "hold", "block"]
    confidence: float = Field(ge=0, le=1)
    reason: str = Field(min_length=1, max_length=300)


class ScreeningPolicy(Spec):
    """Scores from which a name may be, and is taken to be, that of an entry. unsure: so near to one is not sure."""

    possible: float = Field(gt=0, lt=1)
    true_match: float = Field(gt=0, le=1)
    unsure: float = Field(ge=0, lt=0.5)

    @model_validator(mode="after")
    def _ordered(self) -> ScreeningPolicy:
        if self.possible >= self.true_match:
            raise ValueError("possible must be below true_match")
        return self


def propose(evidence: pl.DataFrame, settings: ScreeningPolicy) -> pl.DataFrame:
    """By the score alone. A transfer of which nothing is told is held."""
    rows = evidence.select(pl.col("match_sanctions").struct.unnest())
    score = pl.col("score")
    match = (
        pl.when(score.is_null())
        .then(pl.lit(POSSIBLE))
        .when(score >= settings.true_match)
        .then(pl.lit(TRUE_MATCH))
        .when(score >= settings.possible)
        .then(pl.lit(POSSIBLE))
        .otherwise(pl.lit(CLEAR))
    )
    gap = pl.min_horizontal((score - bound).abs() for bound in (settings.possible, settings.true_match))
    named = pl.format("The name is {} like that of entry {} ({}).", score.round(2), "list_entry", "initials")
    reason = (
        pl.when(score.is_null())
        .then(pl.lit("Nothing is known of the transfer's counterparty."))
        .when(match == CLEAR)
        .then(pl.lit("No entry of the list has a name that is nearly the counterparty's."))
        .otherwise(named)
    )
    return rows.select(
        match.alias("match"),
        pl.when(match != CLEAR).then("list_entry").alias("list_entry"),
        score.fill_null(0.0).alias("score"),
        match.replace_strict(_ACTIONS, return_dtype=pl.String).alias("recommended_action"),
        pl.min_horizontal(pl.lit(1.0), 0.5 + 5 * gap).fill_null(0.0).round(2).alias("confidence"),
        reason.alias("reason"),
        (gap > settings.unsure).fill_null(False).alias("sure"),
    )


def facts(
    store: ScreeningStore, evidence: pl.DataFrame, answers: pl.DataFrame, settings: ScreeningPolicy
) -> pl.DataFrame:
    """What the gate is to know: whether the answer is what score and thresholds say. No money moves."""
    due = propose(evidence, settings)
    checked = ("match", "list_entry", "recommended_action")
    near = (pl.col("score") - due["score"]).abs() <= _AS_TOLD
    same = near & pl.all_horizontal(pl.col(name).eq_missing(due[name]) for name in checked)
    action = pl.col("recommended_action")
    zero = pl.lit(0).cast(MONEY)
    return answers.select(
        pl.when(action.is_null() | same).then(action).otherwise(pl.lit(UNFOUNDED)).alias("outcome"),
        zero.alias("asked"),
        pl.when(action.is_not_null()).then(zero).alias("amount"),
        pl.lit(None, MONEY).alias("payable"),
        evidence["subject"].alias("pays_for"),
        pl.lit(None, pl.String).alias("customer"),
        "confidence",
    )


def cases(store: ScreeningStore, after: int, to: int) -> pl.DataFrame:
    """A case for each transfer with an outside counterparty that batches (after, to] brought to Silver."""
    brought = store.screened.filter(pl.col("source_batch").is_between(after + 1, to))
    return transaction_cases(brought, WIRE_CASE, KNOWN)


_COLUMNS: dict[str, pl.DataType | DataTypeClass] = {
    "match": pl.String,
    "list_entry": pl.String,
    "score": pl.Float64,
    "recommended_action": pl.String,
    "confidence": pl.Float64,
    "reason": pl.String,
}
_OWN_DETAILS: Final = replace(GET_TRANSACTION_DETAILS, own=own_wire, allows=None)

SCREENING: Final = Agent(
    name="screening",
    domain="bank",
    kind=WIRE_CASE,
    title="A transfer's counterparty against the sanctions list",
    tools=(MATCH_SANCTIONS, _OWN_DETAILS),
    gathers=(MATCH_SANCTIONS.name,),
    answer=Screening,
    answer_schema=pl.Schema(_COLUMNS),
    settings=ScreeningPolicy,
    prompt="screening.v1",
    policy=propose,
    facts=facts,
    final=as_proposed,
    open_store=ScreeningStore,
    cases=cases,
)
