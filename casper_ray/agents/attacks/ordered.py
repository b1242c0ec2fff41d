"""Orders as Bronze's events tell them, one by one, with none of the agents' code: what money is held against."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any, Final, NamedTuple

import polars as pl

from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan

_DAY: Final = timedelta(days=1)
_ADMITTED: Final = "admitted"


class Item(NamedTuple):
    """An order's line. usd: of all of it."""

    name: str
    usd: Decimal


class Ordered(NamedTuple):
    """An order that was created. known: from when its delivery could be known; None: it was not delivered."""

    order_id: str
    location_id: int
    address: str
    created_known: datetime
    items: tuple[Item, ...]
    known: datetime | None
    minutes: float

    @property
    def total(self) -> Decimal:
        return sum((item.usd for item in self.items), Decimal(0))


class Orders:
    """Every order of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        events = scan(catalog.table("lakeflow", "all_events")).filter(pl.col("_admission") == _ADMITTED)
        kinds = events.filter(pl.col("event_type").is_in(["order_created", "delivered"]))
        first = kinds.sort("_known_ts").unique(["order_id", "event_type"], keep="first").collect()
        delivered = {row["order_id"]: row for row in _of(first, "delivered")}
        self.by_id = {
            row["order_id"]: _ordered(row, delivered.get(row["order_id"]))
            for row in _of(first, "order_created")
        }
        self._at_location: dict[int, list[Ordered]] = {}
        self._of_address: dict[str, list[Ordered]] = {}
        for order in self.by_id.values():
            self._at_location.setdefault(order.location_id, []).append(order)
            self._of_address.setdefault(order.address, []).append(order)

    def of_address(self, address: str, at: datetime) -> list[Ordered]:
        """Orders of an address that were known by an instant."""
        return [order for order in self._of_address.get(address, ()) if order.created_known <= at]

    def late(self, order: Ordered, at: datetime, shares: tuple[Decimal, Decimal], least: int) -> Decimal:
        """The share of its total that an order's lateness is worth: by nearest rank among its location's day.

        shares: above P75, above P99. least: deliveries that the day must have.
        """
        if order.known is None or order.known > at:
            return Decimal(0)
        others = self._at_location[order.location_id]
        day = sorted(one.minutes for one in others if one.known is not None and at - _DAY <= one.known < at)
        if len(day) < least:
            return Decimal(0)
        p75, p99 = (day[ceil(rank * len(day)) - 1] for rank in (0.75, 0.99))
        if order.minutes > p99:
            return shares[1]
        return shares[0] if order.minutes > p75 else Decimal(0)


def _of(events: pl.DataFrame, kind: str) -> Iterator[dict[str, Any]]:
    return events.filter(pl.col("event_type") == kind).iter_rows(named=True)


def _ordered(created: dict[str, Any], delivered: dict[str, Any] | None) -> Ordered:
    body = json.loads(created["body"], parse_float=Decimal)
    return Ordered(
        created["order_id"],
        created["location_id"],
        body["customer_addr"],
        created["_known_ts"],
        tuple(Item(item["name"], Decimal(item["price"]) * item["qty"]) for item in body["items"]),
        delivered["_known_ts"] if delivered else None,
        (_instant(delivered) - _instant(created)).total_seconds() / 60 if delivered else 0.0,
    )


def _instant(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["ts"])
