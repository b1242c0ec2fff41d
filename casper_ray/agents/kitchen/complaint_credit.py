"""What complaints come to, from the order and its location's day: never from what a text or a model says it is."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
from pydantic import Field

from casper_ray.agents.kitchen.complaint_words import DELAY, FOOD, MISSING, Words
from casper_ray.spec import Spec

_WHOLE = 10_000


class Confidence(Spec):
    """The words for confidence, as numbers that the gate compares."""

    high: float = Field(ge=0, le=1)
    medium: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)


class ComplaintPolicy(Spec):
    """Shares of the order's total, and the lists of words. step: credits are whole steps, in US dollars."""

    late: Decimal = Field(ge=0, le=1)
    very_late: Decimal = Field(ge=0, le=1)
    food_minor: Decimal = Field(ge=0, le=1)
    food_major: Decimal = Field(ge=0, le=1)
    step: Decimal = Field(gt=0)
    least_deliveries: int = Field(ge=1)
    confidence: Confidence
    words: Words


def worths(
    evidence: pl.DataFrame, claimed: pl.Series, major: pl.Series, settings: ComplaintPolicy
) -> pl.DataFrame:
    """What each case would come to as a complaint of each kind.

    claimed: names of items that are missing. major: whether food could not be eaten.
    Returns: one row per case, in cents: delivery_delay, missing_items, food_quality. Null: the data do not tell.
    Rules:   to whole steps, half up, and not above the order.
    """
    rows = evidence.select(
        pl.col("get_order_overview").struct.field("total"),
        pl.col("get_order_timing").struct.field("minutes"),
        pl.col("get_location_timings").struct.field("deliveries", "p75", "p99"),
    ).with_columns(
        _cents(pl.col("total")).alias("total"),
        _prices(evidence, claimed).alias("prices"),
        major.alias("major"),
    )
    minutes, total = pl.col("minutes"), pl.col("total")
    late = (
        pl.when(minutes > pl.col("p99"))
        .then(_share(settings.very_late))
        .when(minutes > pl.col("p75"))
        .then(_share(settings.late))
        .otherwise(0)
    )
    told = minutes.is_not_null() & (pl.col("deliveries") >= settings.least_deliveries)
    food = pl.when("major").then(_share(settings.food_major)).otherwise(_share(settings.food_minor))
    return rows.select(
        pl.when(told).then(_stepped(total * late, settings)).alias(DELAY),
        _stepped(pl.col("prices") * _WHOLE, settings).alias(MISSING),
        _stepped(total * food, settings).alias(FOOD),
    )


def _share(share: Decimal) -> int:
    return int(share * _WHOLE)


def _cents(dollars: pl.Expr) -> pl.Expr:
    return dollars.cast(pl.Decimal(18, 2)).to_physical().cast(pl.Int64)


def _stepped(worth: pl.Expr, settings: ComplaintPolicy) -> pl.Expr:
    """Ten-thousandths of cents to cents in whole steps, no more of them than the order holds."""
    cents = int(settings.step * 100)
    steps = (worth + cents * _WHOLE // 2) // (cents * _WHOLE)
    return pl.min_horizontal(steps, pl.col("total") // cents) * cents


def _prices(evidence: pl.DataFrame, claimed: pl.Series) -> pl.Series:
    """Cents that the claimed items cost in each order: all of an item that was ordered twice. Null: no order."""
    overview = pl.col("get_order_overview").struct
    lines = (
        evidence.select(
            overview.field("items").alias("item"),
            overview.field("prices").alias("price"),
            overview.field("quantities").alias("qty"),
        )
        .with_row_index("row")
        .explode("item", "price", "qty", empty_as_null=False)
        .drop_nulls("item")
    )
    wanted = pl.DataFrame({"item": claimed}).with_row_index("row").explode("item", empty_as_null=False)
    sums = (
        lines.join(wanted.drop_nulls("item").unique(), on=["row", "item"], how="semi")
        .group_by("row")
        .agg((_cents(pl.col("price")) * pl.col("qty")).sum().alias("cents"))
    )
    return (
        evidence.select(overview.field("total").is_not_null().alias("known"))
        .with_row_index("row")
        .join(sums, on="row", how="left", maintain_order="left")
        .select(pl.when("known").then(pl.col("cents").fill_null(0)).alias("prices"))
        .to_series()
    )
