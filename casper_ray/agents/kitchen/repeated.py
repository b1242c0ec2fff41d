"""Orders that were created more than once: what the first creation says, which is the one that counts.

Gold adds the creations up, and Silver has the items of all. An agent that read those would be told, of an order, what
came after its case; and whoever has an order created again would have it dearer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import polars as pl
from polars.datatypes import DataTypeClass

from casper_ray.domain.kitchen import ORDER_CREATED
from casper_ray.lakehouse.read import KNOWN

_MOST_QTY = 100
_TYPES: dict[str, pl.DataType | DataTypeClass] = {
    "order_id": pl.String,
    "item_id": pl.Int32,
    "item_name": pl.String,
    "price": pl.Decimal(18, 2),
    "qty": pl.Int32,
    "brand_id": pl.Int32,
}
ITEMS_TOLD: Final = pl.Schema(_TYPES)
"""Items of orders: columns of Silver that tools tell."""


def repeated(steps: pl.DataFrame) -> pl.Series:
    """Ids of orders that were created more than once."""
    created = steps.filter(pl.col("event_type") == ORDER_CREATED)["order_id"]
    return created.filter(created.is_duplicated()).unique()


def first_items(created: pl.LazyFrame, order_ids: pl.Series) -> pl.DataFrame:
    """`ITEMS_TOLD` of the first creations of these orders; none where a body is not as Silver takes it."""
    first = (
        created.filter(pl.col("order_id").is_in(order_ids.implode()))
        .select("order_id", "body", KNOWN)
        .collect()
        .sort(KNOWN, maintain_order=True)
        .unique("order_id", keep="first", maintain_order=True)
    )
    rows = [row for order_id, body, _ in first.rows() for row in _rows(order_id, body)]
    return pl.DataFrame(rows, schema=ITEMS_TOLD, orient="row")


def with_totals(totals: pl.DataFrame, order_ids: pl.Series, items: pl.DataFrame) -> pl.DataFrame:
    """Totals per order, those of repeated orders by their first items. One row per order."""
    first = items.group_by("order_id").agg(
        (pl.col("price") * pl.col("qty")).sum().cast(totals.schema["total"])
    )
    once = totals.filter(~pl.col("order_id").is_in(order_ids.implode()))
    return pl.concat([once, first.rename({"price": "total"})])


def _rows(order_id: str, body: str) -> Iterator[tuple[Any, ...]]:
    try:
        items = json.loads(body, parse_float=Decimal)["items"]
        rows = [_row(order_id, item) for item in items]
    except (ValueError, KeyError, TypeError, InvalidOperation, RecursionError):
        return
    if all(price > 0 and 0 < qty < _MOST_QTY for *_, price, qty, _ in rows):
        yield from rows


def _row(order_id: str, item: dict[str, Any]) -> tuple[Any, ...]:
    price = Decimal(item["price"]).quantize(Decimal("0.01"))
    return order_id, int(item["id"]), str(item["name"]), price, int(item["qty"]), int(item["brand_id"])
