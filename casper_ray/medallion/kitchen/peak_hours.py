"""Average trade of a location by hour of the day and day of the week.

An average cannot be added to, so the table keeps what it is made of (orders, revenue, first and last hour
seen) beside it, and the averages are worked out anew with every batch: 168 rows a location.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pyarrow as pa

from casper_ray.medallion.kitchen.source import TIMESTAMP
from casper_ray.medallion.kitchen.tables import MONEY

PEAK_SCHEMA = pa.schema(
    [
        ("location_id", pa.int32()),
        ("hour_of_day", pa.int32()),
        ("day_of_week", pa.int32()),
        ("avg_orders", pa.float64()),
        ("avg_revenue", MONEY),
        ("hours", pa.int64()),
        ("orders", pa.int64()),
        ("revenue", MONEY),
        ("first_hour", TIMESTAMP),
        ("last_hour", TIMESTAMP),
    ]
)
_WEEK_HOURS = 168
_CELL = ("hour_of_day", "day_of_week")


def peak_hours_totals(items: pl.DataFrame) -> pl.DataFrame:
    """One row per order: its location, hour of the day 0-23, day of the week 1-7 (Monday 1), its revenue."""
    orders = items.group_by("order_id", "location_id").agg(
        pl.col("order_ts").first().dt.truncate("1h").alias("first_hour"),
        pl.lit(1, pl.Int64).alias("orders"),
        pl.col("extended_price").sum().alias("revenue"),
    )
    return orders.with_columns(pl.col("first_hour").alias("last_hour"), *_cell_of(pl.col("first_hour")))


def peak_hours_from_totals(totals: pl.DataFrame) -> pl.DataFrame:
    """Averages over the calendar hours of the span seen.

    Returns: one row per location and cell of the week that has an hour in the span. hours: how many such
             hours there are. avg_orders = orders / hours; avg_revenue = revenue / hours, rounded half up
             to the cent.
    Rules:   the span is every whole hour from the first order's to the last order's, over all locations;
             hours without an order count as zero, so a cell that never had one is a row of zeros.
    """
    hours = _hours_per_cell(totals)
    locations = totals.select(pl.col("location_id").unique().sort())
    rows = locations.join(hours, how="cross").join(
        totals, on=["location_id", *_CELL], how="left", maintain_order="left"
    )
    cents = (pl.col("revenue") * 100).cast(pl.Int64)
    return rows.with_columns(pl.col("orders").fill_null(0), pl.col("revenue").fill_null(0)).select(
        "location_id",
        *_CELL,
        (pl.col("orders") / pl.col("hours")).alias("avg_orders"),
        _dollars((2 * cents + pl.col("hours")) // (2 * pl.col("hours"))).alias("avg_revenue"),
        "hours",
        "orders",
        "revenue",
        "first_hour",
        "last_hour",
    )


def _hours_per_cell(totals: pl.DataFrame) -> pl.DataFrame:
    first, last = totals.select(pl.col("first_hour").min(), pl.col("last_hour").max()).row(0)
    if first is None:
        return pl.DataFrame(schema={"hour_of_day": pl.Int32, "day_of_week": pl.Int32, "hours": pl.Int64})
    whole_weeks, rest = divmod((last - first) // timedelta(hours=1) + 1, _WEEK_HOURS)
    seen = _WEEK_HOURS if whole_weeks else rest
    cells = pl.DataFrame({"offset": pl.int_range(seen, eager=True)})
    return cells.select(
        *_cell_of(pl.lit(first) + pl.duration(hours="offset")),
        (whole_weeks + (pl.col("offset") < rest).cast(pl.Int64)).alias("hours"),
    ).sort("day_of_week", "hour_of_day")


def _cell_of(hour: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    return (
        hour.dt.hour().cast(pl.Int32).alias("hour_of_day"),
        hour.dt.weekday().cast(pl.Int32).alias("day_of_week"),
    )


def _dollars(cents: pl.Expr) -> pl.Expr:
    """Cents as dollars. A quotient has the scale of what is divided, so the cents get theirs first."""
    return (cents.cast(pl.Decimal(20, 2)) / pl.lit(100, pl.Decimal(3, 0))).cast(pl.Decimal(18, 2))
