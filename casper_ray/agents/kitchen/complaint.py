"""The complaint agent: what a customer wrote, and a credit for it or a person who answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal, Self

import polars as pl
from polars.datatypes import DataTypeClass
from pydantic import Field, StringConstraints, model_validator

from casper_ray.agents.agent import Agent, Answer
from casper_ray.agents.case import CASES
from casper_ray.agents.gate import MONEY
from casper_ray.agents.kitchen.complaint_credit import ComplaintPolicy, worths
from casper_ray.agents.kitchen.complaint_store import ComplaintStore
from casper_ray.agents.kitchen.complaint_tools import (
    LOCATION_TIMINGS,
    ORDER_OVERVIEW,
    ORDER_TIMING,
    PRIOR_REFUNDS,
)
from casper_ray.agents.kitchen.complaint_words import (
    BILLING,
    CREDITED,
    DELAY,
    MISSING,
    OTHER,
    SERVICE,
    read_words,
)
from casper_ray.agents.kitchen.refund import from_cents
from casper_ray.lakehouse.read import KNOWN

_CREDIT, _ESCALATE = "suggest_credit", "escalate"
_STANDARD, _URGENT = "standard", "urgent"


class Complaint(Answer):
    """A credit has an amount and confidence, and no priority; an escalation the reverse.

    credit_amount: US dollars. items_claimed: what is said to be missing, named as the order names it.
    """

    complaint_category: Literal[
        "delivery_delay", "missing_items", "food_quality", "service_issue", "billing", "other"
    ]
    decision: Literal["suggest_credit", "escalate"]
    credit_amount: Decimal | None = Field(default=None, ge=0, le=10_000, decimal_places=2)
    confidence: Literal["high", "medium", "low"] | None = None
    priority: Literal["standard", "urgent"] | None = None
    rationale: str = Field(min_length=1, max_length=500)
    items_claimed: list[Annotated[str, StringConstraints(max_length=100)]] = Field(
        default_factory=list, max_length=20
    )

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        credit = (self.credit_amount is not None, self.confidence is not None, self.priority is not None)
        wanted = (True, True, False) if self.decision == _CREDIT else (False, False, True)
        if credit != wanted:
            raise ValueError(
                "suggest_credit needs credit_amount and confidence and no priority; escalate needs priority alone"
            )
        return self


def propose(evidence: pl.DataFrame, settings: ComplaintPolicy) -> pl.DataFrame:
    """Answers by lists of words. Of several reasons the one that is worth most; in doubt a person."""
    read = read_words(evidence, settings.words)
    worth = worths(evidence, read["claimed"], read["major"], settings)
    rows = read.with_columns(
        *(worth[topic].alias(f"{topic}_cents") for topic in CREDITED),
        evidence["get_order_overview"].struct.field("found").alias("order"),
    ).with_columns(
        *(pl.when(topic).then(f"{topic}_cents").alias(f"{topic}_cents") for topic in CREDITED),
        pl.any_horizontal(pl.col(topic) & pl.col(f"{topic}_cents").is_null() for topic in CREDITED).alias(
            "untold"
        ),
    )
    rows = rows.with_columns(
        pl.max_horizontal(f"{topic}_cents" for topic in CREDITED).alias("cents"), _named().alias("named")
    )
    for_person = (
        pl.col("urgent") | ~pl.col("order") | pl.col("untold") | ~pl.col("named").is_in(list(CREDITED))
    )
    pays = pl.coalesce(
        pl.when(pl.col(f"{topic}_cents") == pl.col("cents")).then(pl.lit(topic)) for topic in CREDITED
    )
    rows = rows.with_columns(for_person.alias("person"), pays.alias("pays"))
    person = pl.col("person")
    mixed = (pl.col("topics") != 1) | pl.col("no_complaint")
    return rows.select(
        pl.when(person).then("named").otherwise("pays").alias("complaint_category"),
        pl.when(person).then(pl.lit(_ESCALATE)).otherwise(pl.lit(_CREDIT)).alias("decision"),
        pl.when(~person).then(from_cents(pl.col("cents"))).alias("credit_amount"),
        pl.when(~person).then(_confidence()).alias("confidence"),
        pl.when(person)
        .then(pl.when("urgent").then(pl.lit(_URGENT)).otherwise(pl.lit(_STANDARD)))
        .alias("priority"),
        _rationale().alias("rationale"),
        pl.when(MISSING).then("claimed").otherwise(pl.lit([], pl.List(pl.String))).alias("items_claimed"),
        (~mixed & pl.col("order") & ~(pl.col(MISSING) & (pl.col("claimed").list.len() == 0))).alias("sure"),
    )


def _named() -> pl.Expr:
    """The category that names a complaint of several topics."""
    return pl.coalesce(
        *(pl.when(topic).then(pl.lit(topic)) for topic in (SERVICE, BILLING, *CREDITED)), pl.lit(OTHER)
    )


def _confidence() -> pl.Expr:
    """High where data bear out the only topic; low where praise or a question is mixed with it."""
    checked = pl.col(DELAY) | (pl.col(MISSING) & (pl.col("claimed").list.len() > 0))
    return (
        pl.when("no_complaint")
        .then(pl.lit("low"))
        .when(checked & (pl.col("topics") == 1))
        .then(pl.lit("high"))
        .otherwise(pl.lit("medium"))
    )


def _rationale() -> pl.Expr:
    return (
        pl.when("urgent")
        .then(pl.lit("Law, health, fraud or abuse is mentioned: a person answers at once."))
        .when(~pl.col("order"))
        .then(pl.lit("It cannot be told which order of the sender's own this is about."))
        .when(pl.col("named").is_in([SERVICE, BILLING, OTHER]))
        .then(pl.lit("Nothing that the order's data could answer: a person reads it."))
        .when("untold")
        .then(pl.lit("Too little is known of the order or of its location's day."))
        .otherwise(
            pl.format(
                "Read as {}; by the order and its location's day it comes to {} cents.", "pays", "cents"
            )
        )
    )


def facts(
    store: ComplaintStore, evidence: pl.DataFrame, answers: pl.DataFrame, settings: ComplaintPolicy
) -> pl.DataFrame:
    """What the gate is to know: the amount is what data say the category comes to.

    Rules: missing are items that the answer and the text name. Where the text's words do not bear out a credit's
           category, or tell of what is for a person, confidence is 0: no text talks a model into money by itself.
    """
    read = read_words(evidence, settings.words)
    both = pl.select(
        pl.lit(answers["items_claimed"].fill_null([])).list.set_intersection(pl.lit(read["claimed"]))
    ).to_series()
    worth = worths(evidence, both, read["major"], settings)
    order_ids = store.orders_of(evidence.select(CASES.names()))
    rows = pl.concat(
        [answers, read, worth.select(pl.all().name.suffix("_cents"))], how="horizontal"
    ).with_columns(
        evidence["get_order_overview"].struct.field("total"),
        order_ids.alias("order_id"),
        store.customers_of(evidence["subject"]).alias("customer"),
    )
    category, credit = pl.col("complaint_category"), pl.col("decision") == _CREDIT
    borne_out = pl.any_horizontal((category == topic) & pl.col(topic) for topic in CREDITED)
    for_person = pl.any_horizontal("urgent", SERVICE, BILLING)
    numbers = settings.confidence.model_dump()
    cents = pl.coalesce(*(pl.when(category == topic).then(f"{topic}_cents") for topic in CREDITED), pl.lit(0))
    known = pl.col("total").is_not_null()
    return rows.select(
        pl.when(credit).then("decision").otherwise(pl.format("escalate_{}", "priority")).alias("outcome"),
        pl.col("credit_amount").cast(MONEY).alias("asked"),
        _amount(credit, cents).alias("amount"),
        "total",
        pl.when(known).then("order_id").alias("pays_for"),
        pl.when(known).then("customer").alias("customer"),
        pl.when(credit & borne_out & ~for_person)
        .then(pl.col("confidence").replace_strict(numbers, default=None, return_dtype=pl.Float64))
        .when(credit)
        .then(0.0)
        .alias("confidence"),
    ).rename({"total": "payable"})


def _amount(credit: pl.Expr, cents: pl.Expr) -> pl.Expr:
    """Nothing for what goes to a person; null where there is no proposal."""
    return (
        pl.when(credit)
        .then(from_cents(cents))
        .when(pl.col("decision").is_not_null())
        .then(pl.lit(Decimal("0.00"), MONEY))
    )


def final(answers: pl.DataFrame, amounts: pl.Series) -> pl.DataFrame:
    """The answer with the gate's amount."""
    return answers.with_columns(
        pl.when(pl.col("decision") == _CREDIT).then(pl.lit(amounts)).cast(MONEY).alias("credit_amount")
    )


def cases(store: ComplaintStore, after: int, to: int) -> pl.DataFrame:
    """A case for each complaint that batches (after, to] of the support pipeline brought."""
    return (
        store.complaints.filter(pl.col("_batch_id").is_between(after + 1, to))
        .select(
            pl.format("complaint:{}", "complaint_id").alias("case_id"),
            pl.lit("complaint").alias("kind"),
            pl.col(KNOWN).alias("at"),
            pl.col("complaint_id").alias("subject"),
            "text",
            pl.col("_batch_id").alias("source_batch"),
        )
        .cast(CASES)
        .sort("at", "case_id")
    )


_COLUMNS: dict[str, pl.DataType | DataTypeClass] = {
    "complaint_category": pl.String,
    "decision": pl.String,
    "credit_amount": MONEY,
    "confidence": pl.String,
    "priority": pl.String,
    "rationale": pl.String,
    "items_claimed": pl.List(pl.String),
}

COMPLAINT: Final = Agent(
    name="complaint",
    domain="kitchen",
    kind="complaint",
    title="A credit for a complaint, or a person who answers it",
    tools=(ORDER_OVERVIEW, ORDER_TIMING, LOCATION_TIMINGS, PRIOR_REFUNDS),
    gathers=("get_order_overview", "get_order_timing", "get_location_timings"),
    answer=Complaint,
    answer_schema=pl.Schema(_COLUMNS),
    settings=ComplaintPolicy,
    prompt="complaint.v1",
    policy=propose,
    facts=facts,
    final=final,
    open_store=ComplaintStore,
    cases=cases,
)
