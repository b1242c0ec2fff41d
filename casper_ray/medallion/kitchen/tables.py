"""Bronze and Silver of the kitchen."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from casper_ray.domain.kitchen import EVENT_COLUMNS, ORDER_CREATED
from casper_ray.medallion.declare import Append, Split, Table, no_rejects
from casper_ray.medallion.json_lines import refused_rows
from casper_ray.medallion.kitchen.source import EVENTS, TIMESTAMP

MONEY = pa.decimal128(18, 2)
_MONEY = pl.Decimal(18, 2)

_ITEM = pl.Struct(
    {
        "id": pl.Float64,
        "menu_id": pl.Float64,
        "category_id": pl.Float64,
        "brand_id": pl.Float64,
        "name": pl.String,
        "price": _MONEY,
        "qty": pl.Float64,
    }
)
_WHOLE = ("id", "menu_id", "category_id", "brand_id", "qty")
_ORDER = pl.Struct({"items": pl.List(_ITEM)})
_BRONZE = (*EVENT_COLUMNS, "_source_file", "_batch_id", "_known_ts", "_ingested_at")


def all_events(events: pl.DataFrame) -> pl.DataFrame:
    """Bronze: every event as received, with where it came from and when it was known.

    Reads:   volume:events, one row per line that is an event.
    Returns: one row per line: the seven fields unchanged (`ts` and `body` as text); _source_file;
             _batch_id; _known_ts, the simulated instant from which the row could be known;
             _ingested_at, wall time.
    Rules:   nothing is left out: duplicates and late events are rows here.
    """
    return events.select(*_BRONZE)


def silver_order_items(events: pl.DataFrame) -> Split:
    """Silver: the items of each order.

    Reads:   volume:events; of these `order_created`.
    Returns: one row per item of an order, in the order of the basket; price and extended_price
             (price x qty) in US dollars, exact decimals.
    Rules:   an order without items has no rows; an order whose body is no such JSON, or lacks a field of
             an item, goes to the quarantine whole (its event stays in Bronze).
    """
    created = events.filter(pl.col("event_type") == ORDER_CREATED)
    try:
        return Split(_items(created), no_rejects())
    except pl.exceptions.PolarsError:
        return _items_of_mixed(created)


def _items(created: pl.DataFrame) -> pl.DataFrame:
    items = (
        created.select(
            "order_id",
            "location_id",
            pl.col("event_ts").alias("order_ts"),
            pl.col("event_ts").dt.date().alias("order_day"),
            pl.col("body").str.json_decode(_ORDER).struct.field("items").alias("item"),
        )
        .explode("item", empty_as_null=False)
        .filter(pl.col("item").is_not_null())
        .unnest("item")
        .with_columns(_whole(name) for name in _WHOLE)
        .rename({"id": "item_id", "name": "item_name"})
        .with_columns((pl.col("price") * pl.col("qty")).cast(_MONEY).alias("extended_price"))
    )
    if sum(items.null_count().row(0)):
        raise pl.exceptions.ComputeError("an item lacks a field")
    return items.select(SILVER_SCHEMA.names)


def _whole(name: str) -> pl.Expr:
    """The number as an integer; null where it is none: half a portion is an error, not a portion."""
    number = pl.col(name)
    return pl.when(number == number.floor()).then(number).cast(pl.Int32, strict=False).alias(name)


def _items_of_mixed(created: pl.DataFrame) -> Split:
    """The same, order by order: the way for the rare block that has an order which cannot be read."""
    good, bad = [], []
    for order in created.iter_slices(1):
        try:
            good.append(_items(order))
        except pl.exceptions.PolarsError:
            bad.append(order)
    rows = pl.concat(good) if good else pl.DataFrame(schema=pl.Schema(SILVER_SCHEMA))
    columns = [*EVENT_COLUMNS, "_source_file"]
    refused = pl.concat(bad).select(columns)
    return Split(
        rows, refused_rows(refused, "order_created: body has no readable items", source_file="_source_file")
    )


SILVER_SCHEMA = pa.schema(
    [
        ("order_id", pa.string()),
        ("location_id", pa.int32()),
        ("order_ts", TIMESTAMP),
        ("order_day", pa.date32()),
        ("item_id", pa.int32()),
        ("menu_id", pa.int32()),
        ("category_id", pa.int32()),
        ("brand_id", pa.int32()),
        ("item_name", pa.string()),
        ("price", MONEY),
        ("qty", pa.int32()),
        ("extended_price", MONEY),
    ]
)

ALL_EVENTS = Table(
    name="all_events",
    reads=EVENTS.name,
    grain="one row per event as received",
    schema=pa.schema([EVENTS.columns.field(name) for name in _BRONZE]),
    update=Append(),
    transform=all_events,
    stats=("location_id", "_batch_id", "_known_ts"),
)

SILVER_ORDER_ITEMS = Table(
    name="silver_order_items",
    reads=EVENTS.name,
    grain="one row per item of an order",
    schema=SILVER_SCHEMA,
    update=Append(),
    transform=silver_order_items,
    partition_by=("order_day",),
    stats=("location_id", "order_ts"),
)
