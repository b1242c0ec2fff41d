"""Bronze and Silver of the kitchen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pyarrow as pa

from casper_ray.domain.kitchen import EVENT_COLUMNS, ORDER_CREATED
from casper_ray.medallion.columns import ADMISSION, BATCH_ID, INGESTED, KNOWN, SOURCE_FILE, TRACE, no_rejects
from casper_ray.medallion.declare import Append, Split, Table, View, Watermark
from casper_ray.medallion.event_time import event_times
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
_BRONZE = (*EVENT_COLUMNS, SOURCE_FILE, BATCH_ID, KNOWN, INGESTED, ADMISSION)
_EVENT_SAMPLE = ("event_id", "event_type", "ts", "location_id", "order_id", "sequence")


def all_events(events: pl.DataFrame) -> pl.DataFrame:
    """Bronze: every event as received, with where it came from, when it was known, and whether it counts.

    Reads:   volume:events, one row per line that is an event.
    Returns: one row per line: the seven fields unchanged (`ts` and `body` as text); _source_file;
             _batch_id; _known_ts, the simulated instant from which the row could be known;
             _ingested_at, wall time; _admission: admitted, duplicate or late.
    Rules:   nothing is left out: duplicates and late events are rows here.
    """
    return events.select(*_BRONZE)


def recalled_events(bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Of Bronze's rows, what tells duplicates and late ones: event_id, and event_ts, the event's own instant."""
    return bronze.select("event_id", pl.col("ts").map_batches(event_times).alias("event_ts"))


def admitted_events(events: pl.DataFrame) -> pl.DataFrame:
    """The events that count: each once, none behind the watermark.

    Reads:   volume:events; of these the admitted ones, by the table's watermark.
    Returns: one row per event, with all that the source has of it.
    """
    return events


def orders(events: pl.DataFrame) -> Split:
    """The orders that were created, with their items as a list.

    Reads:   admitted_events; of these `order_created`.
    Returns: one row per order: the event's fields, event_ts, and items, null where the body names none.
    Rules:   an order whose body is no such JSON goes to the quarantine.
    """
    created = events.filter(pl.col("event_type") == ORDER_CREATED)
    try:
        return Split(_decoded(created), no_rejects())
    except pl.exceptions.PolarsError:
        return _one_by_one(created, _decoded, "body is not readable")


def silver_order_items(orders: pl.DataFrame) -> Split:
    """Silver: the items of each order.

    Reads:   orders.
    Returns: one row per item of an order, in the order of the basket; price and extended_price
             (price x qty) in US dollars, exact decimals.
    Rules:   an order of which an item lacks a field, or has one that is no such number, goes to the quarantine
             whole (its event stays in Bronze); so does one without an id or a location, where no rule stopped it.
    """
    try:
        return Split(_items(orders), no_rejects())
    except pl.exceptions.PolarsError:
        return _one_by_one(
            orders, _items, "an item is not readable, or the order's id or location is missing"
        )


def _decoded(created: pl.DataFrame) -> pl.DataFrame:
    return created.select(
        *_ORDER_COLUMNS, pl.col("body").str.json_decode(_ORDER).struct.field("items").alias("items")
    )


def _items(orders: pl.DataFrame) -> pl.DataFrame:
    items = (
        orders.select(
            "order_id",
            "location_id",
            pl.col("event_ts").alias("order_ts"),
            pl.col("event_ts").dt.date().alias("order_day"),
            *TRACE,
            pl.col("items").alias("item"),
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
    return items.select(*SILVER_SCHEMA.names, *TRACE)


def _whole(name: str) -> pl.Expr:
    """The number as an integer; null where it is none: half a portion is an error, not a portion."""
    number = pl.col(name)
    return pl.when(number == number.floor()).then(number).cast(pl.Int32, strict=False).alias(name)


def _one_by_one(rows: pl.DataFrame, make: Callable[[pl.DataFrame], pl.DataFrame], reason: str) -> Split:
    """The same, order by order: the way for the rare block that has an order which cannot be read."""
    good, bad = [make(rows.clear())], []
    for order in rows.iter_slices(1):
        try:
            good.append(make(order))
        except pl.exceptions.PolarsError:
            bad.append(order)
    refused = pl.concat(bad).select(*EVENT_COLUMNS, *TRACE) if bad else None
    return Split(
        pl.concat(good),
        no_rejects() if refused is None else refused_rows(refused, f"order_created: {reason}"),
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

_ORDER_COLUMNS = (*EVENT_COLUMNS, "event_ts", *TRACE)
_ITEM_TYPE = pa.struct(
    [
        *((name, pa.float64()) for name in ("id", "menu_id", "category_id", "brand_id")),
        ("name", pa.string()),
        ("price", MONEY),
        ("qty", pa.float64()),
    ]
)

ALL_EVENTS = Table(
    name="all_events",
    reads=EVENTS.name,
    grain="one row per event as received",
    schema=pa.schema([EVENTS.columns.field(name) for name in _BRONZE]),
    update=Append(),
    transform=all_events,
    stats=("location_id", BATCH_ID, KNOWN),
)

ADMITTED_EVENTS = Table(
    name="admitted_events",
    reads=EVENTS.name,
    grain="one row per event that counts",
    schema=EVENTS.columns,
    update=View(),
    transform=admitted_events,
    watermark=Watermark(
        key="event_id",
        time="event_ts",
        lateness=timedelta(hours=3),
        log=ALL_EVENTS.name,
        recalled=recalled_events,
    ),
    samples=_EVENT_SAMPLE,
)

ORDERS = Table(
    name="orders",
    reads=ADMITTED_EVENTS.name,
    grain="one row per order created",
    schema=pa.schema(
        [*(EVENTS.columns.field(name) for name in _ORDER_COLUMNS), ("items", pa.list_(_ITEM_TYPE))]
    ),
    update=View(),
    transform=orders,
    samples=_EVENT_SAMPLE,
)

SILVER_ORDER_ITEMS = Table(
    name="silver_order_items",
    reads=ORDERS.name,
    grain="one row per item of an order",
    schema=SILVER_SCHEMA,
    update=Append(),
    transform=silver_order_items,
    partition_by=("order_day",),
    stats=("location_id", "order_ts"),
    samples=("order_id", "location_id", "order_ts", "item_id", "price", "qty"),
    change_feed=True,
)
