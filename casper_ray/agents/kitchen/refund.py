"""The refund agent: every delivered order, and what its lateness is worth."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Final, Literal

import polars as pl
from polars.datatypes import DataTypeClass
from pydantic import Field

from casper_ray.agents.agent import Agent, Answer
from casper_ray.agents.case import CASES
from casper_ray.agents.gate import MONEY
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.agents.kitchen.tools import (
    GET_CUSTOMER_ADDRESS_HISTORY,
    GET_LOCATION_TIMINGS,
    GET_ORDER_DETAILS,
    GET_ORDER_OVERVIEW,
    GET_ORDER_TIMING,
)
from casper_ray.spec import Spec

_NONE, _PARTIAL, _FULL = "none", "partial", "full"
_TOLD: Final = (
    pl.col("get_order_timing").struct.field("minutes", "total"),
    pl.col("get_location_timings").struct.field("deliveries", "p75", "p99"),
)
_VERY_MANY = 10_000


class Refund(Answer):
    """refund_usd: US dollars, what the class comes to. reason: one sentence for the customer's file."""

    refund_usd: Decimal = Field(ge=0, le=10_000, decimal_places=2)
    refund_class: Literal["none", "partial", "full"]
    reason: str = Field(min_length=1, max_length=300)


class RefundPolicy(Spec):
    """Shares of the order's total, by lateness against the location's day: above P75 partial, above P99 full."""

    partial: Decimal = Field(gt=0, lt=1, decimal_places=4)
    full: Decimal = Field(gt=0, le=1, decimal_places=4)
    least_deliveries: int = Field(ge=1)


def propose(evidence: pl.DataFrame, settings: RefundPolicy) -> pl.DataFrame:
    """Refunds by lateness alone. Up to P75, or where the location's day tells too little, none."""
    return evidence.select(_TOLD).select(_proposed(settings))


@cache
def _proposed(settings: RefundPolicy) -> tuple[pl.Expr, ...]:
    """The columns of a proposal. Made once: of few cases it takes longer to say what is asked than to work it out."""
    minutes, p75 = pl.col("minutes"), pl.col("p75")
    told = minutes.is_not_null() & (pl.col("deliveries") >= settings.least_deliveries)
    kind = (
        pl.when(told & (minutes > pl.col("p99")))
        .then(pl.lit(_FULL))
        .when(told & (minutes > p75))
        .then(pl.lit(_PARTIAL))
        .otherwise(pl.lit(_NONE))
    )
    took, usual = minutes.round(1), p75.round(1)
    reason = (
        pl.when(~told)
        .then(pl.lit("Too little is known of the order and the location's day to call it late."))
        .when(kind == _NONE)
        .then(pl.format("Delivered in {} minutes; three in four take up to {}.", took, usual))
        .otherwise(pl.format("Delivered in {} minutes; three in four take no more than {}.", took, usual))
    )
    return (
        _worth(kind, settings).alias("refund_usd"),
        kind.alias("refund_class"),
        reason.alias("reason"),
        pl.lit(True).alias("sure"),
    )


def _worth(kind: pl.Expr, settings: RefundPolicy) -> pl.Expr:
    """What a class comes to: its share of `total`, to the cent, half up."""
    share = (
        pl.when(kind == _FULL)
        .then(int(settings.full * 10_000))
        .when(kind == _PARTIAL)
        .then(int(settings.partial * 10_000))
        .otherwise(0)
    )
    cents = pl.col("total").fill_null(0).to_physical().cast(pl.Int64)
    whole, rest = (
        cents // 10_000,
        cents % 10_000,
    )  # taken apart, so that no total is too large to be multiplied
    return from_cents(whole * share + (rest * share + 5_000) // 10_000)


def from_cents(cents: pl.Expr) -> pl.Expr:
    """Whole cents as money, exactly."""
    return (cents.cast(pl.Decimal(20, 2)) / 100).cast(MONEY)


def facts(
    store: KitchenStore, evidence: pl.DataFrame, answers: pl.DataFrame, settings: RefundPolicy
) -> pl.DataFrame:
    """What the gate is to know: the amount is the class's, of the order's own total, due only for what was late."""
    late = propose(evidence, settings)
    rank = {_NONE: 0, _PARTIAL: 1, _FULL: 2}
    asked, due = (
        kind.replace_strict(rank, default=None) for kind in (answers["refund_class"], late["refund_class"])
    )
    kinds = pl.select(
        pl.when(asked <= due).then(answers["refund_class"]).otherwise(late["refund_class"])
    ).to_series()
    rows = evidence.select(
        pl.col("subject").alias("order_id"), pl.col("get_order_timing").struct.field("total")
    ).with_columns(kinds.alias("kind"))
    paying = rows.filter(pl.col("kind") != _NONE)["order_id"]
    customers = store.customers_of(paying)
    return rows.join(customers, on="order_id", how="left", maintain_order="left").select(
        answers["refund_class"].alias("outcome"),
        answers["refund_usd"].cast(MONEY).alias("asked"),
        pl.when(answers["refund_class"].is_not_null()).then(_worth(pl.col("kind"), settings)).alias("amount"),
        pl.col("total").alias("payable"),
        pl.col("order_id").alias("pays_for"),
        "customer",
        pl.lit(None, pl.Float64).alias("confidence"),
    )


def ahead(store: KitchenStore, cases: pl.DataFrame) -> None:
    """Of very many cases so many pay that all customers are read."""
    if cases.height > _VERY_MANY:
        store.read_customers_ahead()


def final(answers: pl.DataFrame, amounts: pl.Series) -> pl.DataFrame:
    """The answer with the gate's amount; nothing paid is no refund."""
    return answers.with_columns(
        amounts.alias("refund_usd"),
        pl.when(amounts > 0).then("refund_class").otherwise(pl.lit(_NONE)).alias("refund_class"),
    )


def cases(store: KitchenStore, after: int, to: int) -> pl.DataFrame:
    """A case for each order whose delivery batches (after, to] brought, as of when it could be known.

    Rules: an order whose creation came after its delivery is a case when that came; without one it is none.
    """
    return (
        store.orders.filter(pl.col("timed_batch").is_between(after + 1, to))
        .select(
            pl.format("order:{}", "order_id").alias("case_id"),
            pl.lit("order").alias("kind"),
            pl.col("timed_known").alias("at"),
            pl.col("order_id").alias("subject"),
            pl.lit(None, pl.String).alias("text"),
            pl.col("timed_batch").alias("source_batch"),
        )
        .cast(CASES)
        .sort("at", "case_id")
    )


_COLUMNS: dict[str, pl.DataType | DataTypeClass] = {
    "refund_usd": MONEY,
    "refund_class": pl.String,
    "reason": pl.String,
}

REFUND: Final = Agent(
    name="refund",
    domain="kitchen",
    kind="order",
    title="A refund for a late order",
    tools=(
        GET_ORDER_TIMING,
        GET_LOCATION_TIMINGS,
        GET_ORDER_OVERVIEW,
        GET_ORDER_DETAILS,
        GET_CUSTOMER_ADDRESS_HISTORY,
    ),
    gathers=("get_order_timing", "get_location_timings"),
    answer=Refund,
    answer_schema=pl.Schema(_COLUMNS),
    settings=RefundPolicy,
    prompt="refund.v1",
    policy=propose,
    facts=facts,
    final=final,
    open_store=KitchenStore,
    cases=cases,
    ahead=ahead,
)
