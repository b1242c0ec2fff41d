"""What a lake should hold, worked out row by row in plain Python: no code of the pipeline's, no cleverness."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

HOURS_3 = timedelta(hours=3)
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
Row = tuple[Any, ...]


@dataclass(slots=True)
class Content:
    """The rows of the tables: multisets of rows, or sums by key."""

    bronze: Counter[Row] = field(default_factory=Counter)
    silver: Counter[Row] = field(default_factory=Counter)
    headers: Counter[Row] = field(default_factory=Counter)
    brand_days: dict[Row, list[Any]] = field(default_factory=dict)
    hours: dict[Row, list[Any]] = field(default_factory=dict)
    quarantined: int = 0


class Model:
    """Files go in, in the order in which the pipeline takes them; `content` is what should be in the tables."""

    def __init__(self) -> None:
        self.content = Content()
        self.watermark = _LONG_AGO
        self.seen: dict[str, datetime] = {}
        self.duplicates = self.late = 0

    def take(self, lines: list[bytes], landed: datetime) -> None:
        """One file. landed: up to there its times move the watermark."""
        before = self.watermark
        newest = _LONG_AGO
        for line in filter(bytes.strip, lines):
            event = _event(line)
            if event is None:
                self.content.quarantined += 1
                continue
            at = datetime.fromisoformat(event["ts"]).replace(tzinfo=UTC)
            newest = max(newest, at)
            word = self._judged(event["event_id"], at, before)
            self.content.bronze[event["event_id"], event["ts"], word] += 1
            if word == "admitted":
                self._count(event, at)
        if newest > _LONG_AGO:
            self.watermark = max(before, min(newest, landed) - HOURS_3)
        self.seen = {key: at for key, at in self.seen.items() if at >= self.watermark}

    def _judged(self, event_id: str, at: datetime, watermark: datetime) -> str:
        if at < watermark:
            self.late += 1
            return "late"
        if event_id in self.seen:
            self.duplicates += 1
            return "duplicate"
        self.seen[event_id] = at
        return "admitted"

    def _count(self, event: dict[str, Any], at: datetime) -> None:
        order, location = event["order_id"], event["location_id"]
        kept = []
        for item in json.loads(event["body"], parse_float=Decimal)["items"]:
            price, qty = Decimal(item["price"]), item["qty"]
            if price > 0 and 0 < qty < 100:
                kept.append((item["brand_id"], price, qty))
            else:
                self.content.quarantined += 1
        for brand, price, qty in kept:
            self.content.silver[order, location, at, brand, price, qty] += 1
        if kept:
            self._add_to_gold(order, location, at, kept)

    def _add_to_gold(
        self, order: str, location: int, at: datetime, items: list[tuple[int, Decimal, int]]
    ) -> None:
        revenue = sum((price * qty for _, price, qty in items), Decimal(0))
        self.content.headers[order, at.date(), revenue] += 1
        _add(self.content.hours, (location, at.replace(minute=0, second=0, microsecond=0)), [1, revenue])
        for brand in {brand for brand, _, _ in items}:
            mine = [(price, qty) for found, price, qty in items if found == brand]
            sold, worth = sum(qty for _, qty in mine), sum((p * q for p, q in mine), Decimal(0))
            _add(self.content.brand_days, (brand, at.date()), [1, sold, worth])

    def snapshot(self) -> Content:
        """The content as it is now. Sums are never changed in place, so a copy of the dictionaries is enough."""
        now = self.content
        return Content(
            silver=Counter(now.silver),
            headers=Counter(now.headers),
            brand_days=dict(now.brand_days),
            hours=dict(now.hours),
        )


def _add(sums: dict[Row, list[Any]], key: Row, values: list[Any]) -> None:
    before = sums.get(key, [0] * len(values))
    sums[key] = [a + b for a, b in zip(before, values, strict=True)]


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
