"""What refunds are due, computed a second time: from Bronze alone, order by order, with none of the agents' code.

It is what money that moved is held against, so it shares nothing with the tools, the policy or the gate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from typing import Any, Final, NamedTuple

import polars as pl

from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan

_CENT: Final = Decimal("0.01")
_DAY: Final = timedelta(days=1)
_ADMITTED: Final = "admitted"


class Due(NamedTuple):
    """Of one order. usd: the most that lateness is worth. total: what the order cost."""

    order_id: str
    total: Decimal
    usd: Decimal


class _Delivery(NamedTuple):
    known: datetime
    minutes: float


def refunds_due(
    catalog: Catalog, cases: pl.DataFrame, shares: tuple[Decimal, Decimal], least: int
) -> list[Due]:
    """What each case's order is due, as of the case.

    shares: of the total, above the location's P75 and above its P99. least: deliveries that the day must have.
    """
    events = scan(catalog.table("lakeflow", "all_events")).filter(pl.col("_admission") == _ADMITTED)
    kinds = events.filter(pl.col("event_type").is_in(["order_created", "delivered"]))
    first = kinds.sort("_known_ts").unique(["order_id", "event_type"], keep="first").collect()
    created = {row["order_id"]: row for row in _of(first, "order_created")}
    delivered = {row["order_id"]: row for row in _of(first, "delivered")}
    at_location: dict[int, list[_Delivery]] = {}
    for order_id, row in delivered.items():
        if order_id in created:
            delivery = _Delivery(row["_known_ts"], _minutes(created[order_id], row))
            at_location.setdefault(created[order_id]["location_id"], []).append(delivery)
    return [
        _due(subject, at, created.get(subject), delivered.get(subject), at_location, shares, least)
        for subject, at in cases.select("subject", "at").iter_rows()
    ]


def _of(events: pl.DataFrame, kind: str) -> Iterator[dict[str, Any]]:
    return events.filter(pl.col("event_type") == kind).iter_rows(named=True)


def _due(
    order_id: str,
    at: datetime,
    created: dict[str, Any] | None,
    delivered: dict[str, Any] | None,
    at_location: dict[int, list[_Delivery]],
    shares: tuple[Decimal, Decimal],
    least: int,
) -> Due:
    if created is None or delivered is None or delivered["_known_ts"] > at:
        return Due(order_id, Decimal(0), Decimal(0))
    total = _total(created["body"])
    others = at_location[created["location_id"]]
    day = sorted(one.minutes for one in others if at - _DAY <= one.known < at)
    share = _share(_minutes(created, delivered), day, shares) if len(day) >= least else Decimal(0)
    return Due(order_id, total, (total * share).quantize(_CENT, ROUND_HALF_UP))


def _share(minutes: float, day: list[float], shares: tuple[Decimal, Decimal]) -> Decimal:
    """Nearest rank from below."""
    p75, p99 = (day[ceil(rank * len(day)) - 1] for rank in (0.75, 0.99))
    if minutes > p99:
        return shares[1]
    return shares[0] if minutes > p75 else Decimal(0)


def _total(body: str) -> Decimal:
    items = json.loads(body, parse_float=Decimal)["items"]
    return sum((Decimal(item["price"]) * item["qty"] for item in items), Decimal(0))


def _minutes(created: dict[str, Any], delivered: dict[str, Any]) -> float:
    return (_instant(delivered["ts"]) - _instant(created["ts"])).total_seconds() / 60


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
