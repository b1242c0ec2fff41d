"""Gold of the kitchen: six tables, each kept by adding up what a batch brings."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from casper_ray.medallion.declare import Append, Merge, Table
from casper_ray.medallion.kitchen.peak_hours import PEAK_SCHEMA, peak_hours_from_totals, peak_hours_totals
from casper_ray.medallion.kitchen.source import TIMESTAMP
from casper_ray.medallion.kitchen.tables import MONEY, SILVER_ORDER_ITEMS

_SILVER = SILVER_ORDER_ITEMS.name


def order_headers(items: pl.DataFrame) -> pl.DataFrame:
    """One row per order: revenue in US dollars, quantity, number of item rows, brands (sorted, distinct).

    Rules: an order comes from one event, so all of its items are in the same block.
    """
    return items.group_by("order_id", maintain_order=True).agg(
        pl.col("location_id").first(),
        pl.col("order_day").first(),
        pl.col("extended_price").sum().alias("order_revenue"),
        pl.col("qty").sum().cast(pl.Int64).alias("total_qty"),
        pl.len().cast(pl.Int64).alias("total_items"),
        pl.col("brand_id").unique().sort().alias("brands_in_order"),
    )


def item_sales(items: pl.DataFrame) -> pl.DataFrame:
    """Sales of an item on a day: units and gross revenue in US dollars."""
    return items.select(
        "item_id",
        "menu_id",
        "category_id",
        "brand_id",
        pl.col("order_day").alias("day"),
        pl.col("qty").cast(pl.Int64).alias("units_sold"),
        pl.col("extended_price").alias("gross_revenue"),
    )


def brand_sales(items: pl.DataFrame) -> pl.DataFrame:
    """Sales of a brand on a day: distinct orders with it, units, revenue in US dollars."""
    return _per_order(items, "brand_id").select(
        "brand_id", "day", "orders", "items_sold", pl.col("revenue").alias("brand_revenue")
    )


def location_hours(items: pl.DataFrame) -> pl.DataFrame:
    """Sales of a location in an hour: orders, revenue in US dollars."""
    return _per_order(items).select(
        "location_id", pl.col("order_ts").dt.truncate("1h").alias("hour_ts"), "orders", "revenue"
    )


def location_brand_days(items: pl.DataFrame) -> pl.DataFrame:
    """Sales of a brand at a location on a day: distinct orders with it, units, revenue in US dollars."""
    return _per_order(items, "brand_id").select(
        "location_id", "brand_id", "day", "orders", "items_sold", "revenue"
    )


def _per_order(items: pl.DataFrame, *also: str) -> pl.DataFrame:
    """One row per order (and `also`), counting as one order: what makes distinct orders add up."""
    return items.group_by("order_id", "location_id", *also).agg(
        pl.col("order_ts").first(),
        pl.col("order_day").first().alias("day"),
        pl.lit(1, pl.Int64).alias("orders"),
        pl.col("qty").sum().cast(pl.Int64).alias("items_sold"),
        pl.col("extended_price").sum().alias("revenue"),
    )


GOLD_ORDER_HEADER = Table(
    name="gold_order_header",
    reads=_SILVER,
    grain="one row per order",
    schema=pa.schema(
        [
            ("order_id", pa.string()),
            ("location_id", pa.int32()),
            ("order_day", pa.date32()),
            ("order_revenue", MONEY),
            ("total_qty", pa.int64()),
            ("total_items", pa.int64()),
            ("brands_in_order", pa.list_(pa.int32())),
        ]
    ),
    update=Append(),
    transform=order_headers,
    change_feed=True,
    stats=("location_id", "order_day"),
)

GOLD_ITEM_SALES_DAY = Table(
    name="gold_item_sales_day",
    reads=_SILVER,
    grain="one row per item and day",
    schema=pa.schema(
        [
            ("item_id", pa.int32()),
            ("menu_id", pa.int32()),
            ("category_id", pa.int32()),
            ("brand_id", pa.int32()),
            ("day", pa.date32()),
            ("units_sold", pa.int64()),
            ("gross_revenue", MONEY),
        ]
    ),
    update=Merge(
        keys=("item_id", "menu_id", "category_id", "brand_id", "day"),
        sums=("units_sold", "gross_revenue"),
        segment="day",
    ),
    transform=item_sales,
    change_feed=True,
    partition_by=("day",),
)

GOLD_BRAND_SALES_DAY = Table(
    name="gold_brand_sales_day",
    reads=_SILVER,
    grain="one row per brand and day",
    schema=pa.schema(
        [
            ("brand_id", pa.int32()),
            ("day", pa.date32()),
            ("orders", pa.int64()),
            ("items_sold", pa.int64()),
            ("brand_revenue", MONEY),
        ]
    ),
    update=Merge(keys=("brand_id", "day"), sums=("orders", "items_sold", "brand_revenue"), segment="day"),
    transform=brand_sales,
    change_feed=True,
    partition_by=("day",),
)

GOLD_LOCATION_SALES_HOURLY = Table(
    name="gold_location_sales_hourly",
    reads=_SILVER,
    grain="one row per location and hour with an order",
    schema=pa.schema(
        [
            ("location_id", pa.int32()),
            ("hour_ts", TIMESTAMP),
            ("orders", pa.int64()),
            ("revenue", MONEY),
        ]
    ),
    update=Merge(keys=("location_id", "hour_ts"), sums=("orders", "revenue"), segment="hour_ts"),
    transform=location_hours,
    change_feed=True,
    stats=("location_id", "hour_ts"),
)

GOLD_LOCATION_BRAND_DAY = Table(
    name="gold_location_brand_day",
    reads=_SILVER,
    grain="one row per location, brand and day",
    schema=pa.schema(
        [
            ("location_id", pa.int32()),
            ("brand_id", pa.int32()),
            ("day", pa.date32()),
            ("orders", pa.int64()),
            ("items_sold", pa.int64()),
            ("revenue", MONEY),
        ]
    ),
    update=Merge(
        keys=("location_id", "brand_id", "day"),
        sums=("orders", "items_sold", "revenue"),
        segment="day",
    ),
    transform=location_brand_days,
    change_feed=True,
    partition_by=("day",),
)

GOLD_LOCATION_PEAK_HOURS = Table(
    name="gold_location_peak_hours",
    reads=_SILVER,
    grain="one row per location, hour of the day and day of the week within the span seen",
    schema=PEAK_SCHEMA,
    update=Merge(
        keys=("location_id", "hour_of_day", "day_of_week"),
        sums=("orders", "revenue"),
        lowest=("first_hour",),
        highest=("last_hour",),
        finish=peak_hours_from_totals,
    ),
    transform=peak_hours_totals,
    change_feed=True,
    stats=("location_id",),
)

GOLD = (
    GOLD_ORDER_HEADER,
    GOLD_ITEM_SALES_DAY,
    GOLD_BRAND_SALES_DAY,
    GOLD_LOCATION_SALES_HOURLY,
    GOLD_LOCATION_BRAND_DAY,
    GOLD_LOCATION_PEAK_HOURS,
)
