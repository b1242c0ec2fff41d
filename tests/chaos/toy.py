"""A small kitchen for thousands of batches: the real tables, fewer of them, and a world that is a formula."""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl

from casper_ray.domain.kitchen import EVENT_COLUMNS
from casper_ray.domain.time import SimMicros, as_text
from casper_ray.medallion.declare import Pipeline
from casper_ray.medallion.kitchen.gold import (
    GOLD_BRAND_SALES_DAY,
    GOLD_LOCATION_SALES_HOURLY,
    GOLD_ORDER_HEADER,
)
from casper_ray.medallion.kitchen.source import EVENTS
from casper_ray.medallion.kitchen.tables import ADMITTED_EVENTS, ALL_EVENTS, ORDERS, SILVER_ORDER_ITEMS
from casper_ray.sim.landing import render_lines

PIPELINE = Pipeline(
    name="toy",
    catalog="caspers",
    schema="lakeflow",
    sources=(EVENTS,),
    tables=(
        ALL_EVENTS,
        ADMITTED_EVENTS,
        ORDERS,
        SILVER_ORDER_ITEMS,
        GOLD_ORDER_HEADER,
        GOLD_BRAND_SALES_DAY,
        GOLD_LOCATION_SALES_HOURLY,
    ),
    quality="kitchen",
)
REFERENCE = "toy:PIPELINE"
PULSE_US = 47_000_000
"""An order every 47 simulated seconds."""


def order_line(event_id: str, ts_us: int, price_cents: int, qty: int, brand: int, location: int = 1) -> bytes:
    """One `order_created` of one item, as a line."""
    ids = {"id": 10 * brand, "menu_id": brand, "category_id": brand, "brand_id": brand}
    item = {**ids, "name": f"Item {brand}", "price": price_cents / 100, "qty": qty}
    event = {
        "event_id": event_id,
        "event_type": "order_created",
        "ts": as_text(SimMicros(ts_us)),
        "location_id": location,
        "order_id": event_id.upper(),
        "sequence": 0,
        "body": json.dumps({"items": [item]}),
    }
    return json.dumps(event).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class ToyWorld:
    """An order every pulse, each a function of its number. What `Lander` asks of a world."""

    epoch_us: int

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        numbers = range(self._first(from_us), self._first(to_us))
        lines = [json.loads(self.line(number)) for number in numbers]
        columns = {"location_id": pl.Int32, "sequence": pl.Int32}
        frame = pl.DataFrame(lines, schema_overrides=columns) if lines else _no_events()
        return frame.with_columns(ts_us=pl.Series([self._at(number) for number in numbers], dtype=pl.Int64))

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        return render_lines(events, EVENT_COLUMNS)

    def counted(self, feed: str, events: pl.DataFrame) -> int:
        return events.height

    def expected_events(self, from_us: int, to_us: int) -> float:
        return (to_us - from_us) / PULSE_US

    def line(self, number: int) -> bytes:
        return order_line(f"w{number}", self._at(number), 100 + number % 977, 1 + number % 3, 1 + number % 5)

    def lines_between(self, from_us: int, to_us: int) -> list[bytes]:
        return [self.line(number) for number in range(self._first(from_us), self._first(to_us))]

    def _at(self, number: int) -> int:
        return self.epoch_us + number * PULSE_US

    def _first(self, instant_us: int) -> int:
        return max(0, -((self.epoch_us - instant_us) // PULSE_US))


def _no_events() -> pl.DataFrame:
    names = ("event_id", "event_type", "ts", "order_id", "body")
    types: dict[str, type[pl.DataType]] = dict.fromkeys(names, pl.String)
    return pl.DataFrame(schema={**types, "location_id": pl.Int32, "sequence": pl.Int32})
