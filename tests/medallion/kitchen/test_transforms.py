"""The kitchen's tables over a few hand-written orders, with the rows that they must have."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from casper_ray.medallion.columns import TRACE
from casper_ray.medallion.declare import Merge, Split
from casper_ray.medallion.kitchen import gold
from casper_ray.medallion.kitchen.source import parse_events
from casper_ray.medallion.kitchen.tables import (
    SILVER_SCHEMA,
    admitted_events,
    all_events,
    orders,
    silver_order_items,
)
from casper_ray.medallion.merge import partial_aggregate

EventLine = Callable[..., bytes]
Item = Callable[..., dict[str, Any]]
FIRST, SECOND = date(2024, 1, 1), date(2024, 1, 2)


def usd(text: str) -> Decimal:
    return Decimal(text)


def received(*lines: bytes) -> pl.DataFrame:
    """Events as the pass hands them to transforms."""
    parsed = parse_events(b"".join(lines))
    assert parsed.rejected.height == 0
    instant = pl.lit(datetime(2024, 1, 3, tzinfo=UTC), pl.Datetime("us", "UTC"))
    return parsed.events.with_columns(
        pl.lit("f.json").alias("_source_file"),
        pl.lit(4, pl.Int64).alias("_batch_id"),
        instant.alias("_known_ts"),
        instant.alias("_ingested_at"),
        pl.lit("admitted").alias("_admission"),
    )


def silver(events: pl.DataFrame) -> Split:
    """The items of the events' orders, and all that was refused on the way."""
    made = orders(admitted_events(events))
    items = silver_order_items(made.rows)
    return Split(items.rows, pl.concat([made.rejected, items.rejected]))


@pytest.fixture
def events(event_line: EventLine, basket_item: Item) -> pl.DataFrame:
    """Three orders over two days at two locations, and an event of another kind."""
    return received(
        event_line(
            1,
            items=[
                basket_item(1, 20, 2.50, 2),
                basket_item(2, 10, 19.99, 1),
                basket_item(3, 20, 0.10, 3),
            ],
        ),
        event_line(2, items=[basket_item(1, 20, 2.50, 1)], ts="2024-01-01 12:59:59.999", sequence=0),
        event_line(3, sequence=1),
        event_line(4, items=[basket_item(1, 20, 2.75, 4)], ts="2024-01-02 00:00:00.000", location_id=2),
    )


@pytest.fixture
def items(events: pl.DataFrame) -> pl.DataFrame:
    split = silver(events)
    assert split.rejected.height == 0
    return split.rows.drop(TRACE)


def merged(update: object, rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    assert isinstance(update, Merge)
    return partial_aggregate(update, rows).rows()


def test_bronze_keeps_every_event_as_it_was_received(events: pl.DataFrame) -> None:
    bronze = all_events(pl.concat([events, events]))
    assert bronze.height == 8
    assert bronze.select("event_id", "ts", "sequence", "_batch_id").row(2) == (
        "e3",
        "2024-01-01 12:00:00.000",
        1,
        4,
    )
    assert bronze["body"].to_list() == [*events["body"], *events["body"]]
    assert bronze.columns == [
        *("event_id", "event_type", "ts", "location_id", "order_id", "sequence", "body"),
        *("_source_file", "_batch_id", "_known_ts", "_ingested_at", "_admission"),
    ]


def test_silver_has_a_row_an_item_in_the_order_of_the_basket(items: pl.DataFrame) -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    last = datetime(2024, 1, 1, 12, 59, 59, 999_000, tzinfo=UTC)
    midnight = datetime(2024, 1, 2, tzinfo=UTC)
    assert items.rows() == [
        ("O1", 1, noon, FIRST, 1, 20, 30, 20, "Item 1", usd("2.50"), 2, usd("5.00")),
        ("O1", 1, noon, FIRST, 2, 10, 20, 10, "Item 2", usd("19.99"), 1, usd("19.99")),
        ("O1", 1, noon, FIRST, 3, 20, 30, 20, "Item 3", usd("0.10"), 3, usd("0.30")),
        ("O2", 1, last, FIRST, 1, 20, 30, 20, "Item 1", usd("2.50"), 1, usd("2.50")),
        ("O4", 2, midnight, SECOND, 1, 20, 30, 20, "Item 1", usd("2.75"), 4, usd("11.00")),
    ]
    assert items.schema == pl.Schema(SILVER_SCHEMA)


@pytest.mark.parametrize("body", ["{}", '{"items": []}', '{"items": null}'])
def test_an_order_without_items_has_no_rows(event_line: EventLine, body: str) -> None:
    split = silver(received(event_line(1, event_type="order_created", body=body)))
    assert (split.rows.height, split.rejected.height) == (0, 0)


def bad_bodies() -> dict[str, str]:
    whole = {"id": 1, "menu_id": 1, "category_id": 1, "brand_id": 1, "name": "n", "price": 2.5, "qty": 1}
    good = {"items": [whole]}
    return {
        "no JSON": "items",
        "torn": json.dumps(good)[:30],
        "empty": "",
        "blank": " \n",
        "an array": "[1]",
        "two objects": json.dumps(good) * 2,
        "two lines": json.dumps(good) + "\n" + json.dumps(good),
        "items that are no list": '{"items": "x"}',
        "an item that is none": '{"items": [5]}',
        "a field missing": json.dumps({"items": [whole, {"id": 2}]}),
        "no price": json.dumps({"items": [whole | {"price": None}]}),
        "a price that is none": json.dumps({"items": [whole | {"price": "free"}]}),
        "a price beyond money": json.dumps({"items": [whole | {"price": 1e30}]}),
        "a total beyond money": json.dumps({"items": [whole | {"price": 1e14, "qty": 2**31 - 1}]}),
        "a quantity as text": json.dumps({"items": [whole | {"qty": "2"}]}),
        "an id too large": json.dumps({"items": [whole | {"id": 2**40}]}),
    }


@pytest.mark.parametrize("what", bad_bodies())
def test_an_order_that_cannot_be_read_is_kept_and_the_others_go_on(
    event_line: EventLine, basket_item: Item, what: str
) -> None:
    bad = event_line(2, event_type="order_created", body=bad_bodies()[what])
    events = received(event_line(1, items=[basket_item()]), bad, event_line(3, items=[basket_item()]))
    split = silver(events)
    assert split.rows["order_id"].to_list() == ["O1", "O3"]
    assert split.rows.drop(TRACE).schema == pl.Schema(SILVER_SCHEMA)
    (refused,) = split.rejected.rows(named=True)
    assert refused["reason"] in (
        "order_created: body is not readable",
        "order_created: an item is not readable, or the order's id or location is missing",
    )
    assert (refused["source_file"], refused["line_number"]) == ("f.json", 1)
    assert json.loads(refused["line"])["order_id"] == "O2"
    assert all_events(events).height == 3, "its event stays in Bronze"


def test_a_block_of_nothing_but_bad_orders_has_no_rows(event_line: EventLine) -> None:
    split = silver(received(event_line(1, event_type="order_created", body="[")))
    assert isinstance(split, Split)
    assert (split.rows.height, split.rejected.height) == (0, 1)
    assert split.rows.drop(TRACE).schema == pl.Schema(SILVER_SCHEMA)


def test_the_body_of_another_kind_of_event_is_not_read(event_line: EventLine) -> None:
    split = silver(received(event_line(1, body="no JSON")))
    assert (split.rows.height, split.rejected.height) == (0, 0)


def test_order_headers(items: pl.DataFrame) -> None:
    assert gold.order_headers(items).rows() == [
        ("O1", 1, FIRST, usd("25.29"), 6, 3, [10, 20]),
        ("O2", 1, FIRST, usd("2.50"), 1, 1, [20]),
        ("O4", 2, SECOND, usd("11.00"), 4, 1, [20]),
    ]


def test_item_sales_by_day(items: pl.DataFrame) -> None:
    assert merged(gold.GOLD_ITEM_SALES_DAY.update, gold.item_sales(items)) == [
        (1, 20, 30, 20, FIRST, 3, usd("7.50")),
        (1, 20, 30, 20, SECOND, 4, usd("11.00")),
        (2, 10, 20, 10, FIRST, 1, usd("19.99")),
        (3, 20, 30, 20, FIRST, 3, usd("0.30")),
    ]


def test_brand_sales_by_day_count_an_order_once(items: pl.DataFrame) -> None:
    assert merged(gold.GOLD_BRAND_SALES_DAY.update, gold.brand_sales(items)) == [
        (10, FIRST, 1, 1, usd("19.99")),
        (20, FIRST, 2, 6, usd("7.80")),
        (20, SECOND, 1, 4, usd("11.00")),
    ]


def test_location_sales_by_hour(items: pl.DataFrame) -> None:
    assert merged(gold.GOLD_LOCATION_SALES_HOURLY.update, gold.location_hours(items)) == [
        (1, datetime(2024, 1, 1, 12, tzinfo=UTC), 2, usd("27.79")),
        (2, datetime(2024, 1, 2, 0, tzinfo=UTC), 1, usd("11.00")),
    ]


def test_sales_of_a_brand_at_a_location_by_day(items: pl.DataFrame) -> None:
    assert merged(gold.GOLD_LOCATION_BRAND_DAY.update, gold.location_brand_days(items)) == [
        (1, 10, FIRST, 1, 1, usd("19.99")),
        (1, 20, FIRST, 2, 6, usd("7.80")),
        (2, 20, SECOND, 1, 4, usd("11.00")),
    ]


def test_peak_hours_of_the_span_from_noon_to_midnight(items: pl.DataFrame) -> None:
    update = gold.GOLD_LOCATION_PEAK_HOURS.update
    assert isinstance(update, Merge)
    assert update.finish
    # the update is an aggregate's
    rows = update.finish(partial_aggregate(update, gold.GOLD_LOCATION_PEAK_HOURS.transform(items)))  # type: ignore[arg-type]
    found = {row[:3]: row[3:5] for row in rows.iter_rows()}
    assert len(found) == 2 * 13
    assert found.pop((1, 12, 1)) == (2.0, usd("27.79"))
    assert found.pop((2, 0, 2)) == (1.0, usd("11.00"))
    assert set(found.values()) == {(0.0, usd("0.00"))}


@pytest.mark.parametrize("table", gold.GOLD, ids=lambda table: table.name)
def test_gold_of_no_items_is_empty(items: pl.DataFrame, table: Any) -> None:
    assert table.transform(items.clear()).height == 0
