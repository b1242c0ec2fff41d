"""Complaints of a kitchen world: a function of the world, the rate and the day, however windows are cut."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.datatypes import DataTypeClass

from casper_ray.domain.complaints import COMPLAINT_COLUMNS
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_S, sim_micros
from casper_ray.sim.cache import BoundedCache
from casper_ray.sim.kitchen.complaints.answers import Usual, usual_minutes
from casper_ray.sim.kitchen.complaints.claims import Line, Order
from casper_ray.sim.kitchen.complaints.draft import Draft, complaint_id, draft
from casper_ray.sim.kitchen.complaints.grammar import DELAY, Chance, Grammar, load_grammar
from casper_ray.sim.kitchen.streams import Purpose, stream
from casper_ray.sim.kitchen.truth import money
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.landing import render_lines
from casper_ray.sim.text import timestamps

_SOONEST_US, _LATEST_US = 300 * US_PER_S, 26 * US_PER_HOUR
_LATELY_US = 27 * US_PER_HOUR
_MINUTE_US = 60 * US_PER_S
_DAYS_BACK = 3
"""A complaint comes at most so many days after the day its order was created."""
_KINDS: dict[str, pl.DataType | DataTypeClass] = {
    "complaint_id": pl.String,
    "ts_us": pl.Int64,
    "order_id": pl.String,
    "sender": pl.String,
    "language": pl.String,
    "text": pl.String,
    "location_id": pl.Int32,
    "real_order_id": pl.String,
    "category": pl.String,
    "decision": pl.String,
    "credit_cents": pl.Int64,
    "priority": pl.String,
    "kind": pl.String,
    "hard": pl.List(pl.String),
}
_MADE: Final = pl.Schema(_KINDS)
_RECEIPTS: BoundedCache[pl.DataFrame] = BoundedCache(50_000_000, lambda frame: 200 * frame.height + 1_000)
_COMPLAINTS: BoundedCache[pl.DataFrame] = BoundedCache(50_000_000, lambda frame: 600 * frame.height + 1_000)


@dataclass(frozen=True, slots=True)
class _Around:
    """Orders of a location on a day and those next to it, by delivery."""

    orders: pl.DataFrame
    delivered_us: NDArray[np.int64]
    minutes: NDArray[np.float64]

    @classmethod
    def of(cls, orders: pl.DataFrame) -> _Around:
        by_delivery = orders.sort("delivered", "order_id")
        return cls(by_delivery, by_delivery["delivered"].to_physical().to_numpy(), _minutes(by_delivery))

    def usual(self, at_us: int) -> Usual:
        return usual_minutes(self.delivered_us, self.minutes, at_us - US_PER_DAY, at_us)

    def alone(self, address: str, at_us: int) -> bool:
        """Whether only one order was delivered to the address lately."""
        first, last = np.searchsorted(self.delivered_us, [at_us - _LATELY_US, at_us + 1]).tolist()
        return int((self.orders["address"].slice(first, last - first) == address).sum()) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintBook:
    """All complaints that a world's customers write. since_us: orders created before do not count."""

    world: KitchenWorld
    rate: float
    since_us: int = 0

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        """The complaints with from_us <= ts < to_us: `COMPLAINT_COLUMNS` and ts_us, sorted by time."""
        made = self._between(from_us, to_us)
        return made.with_columns(timestamps(made["ts_us"].to_numpy() // 1000).alias("ts")).select(
            *COMPLAINT_COLUMNS, "ts_us"
        )

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        """The complaints as lines."""
        return render_lines(events, COMPLAINT_COLUMNS)

    def counted(self, feed: str, events: pl.DataFrame) -> int:
        return events.height

    def answers(self, from_us: int, to_us: int) -> pl.DataFrame:
        """The right answers to the same complaints, one row each, sorted by time.

        Returns: complaint_id, ts, order_id (which it is about), location_id, language, category, decision, credit
                 (US dollars; null where it is for a person), priority (null where it is not), kind (true,
                 exaggerated, false: the worst of its claims), hard (names of the hard cases that it is).
        """
        made = self._between(from_us, to_us)
        return made.select(
            "complaint_id",
            pl.col("ts_us").cast(pl.Datetime("us", "UTC")).alias("ts"),
            pl.col("real_order_id").alias("order_id"),
            "location_id",
            "language",
            "category",
            "decision",
            pl.when(pl.col("credit_cents").is_not_null())
            .then(money(made["credit_cents"].fill_null(0).to_list()))
            .alias("credit"),
            "priority",
            "kind",
            "hard",
        )

    def _between(self, from_us: int, to_us: int) -> pl.DataFrame:
        start = sim_micros(self.world.epoch)
        first = max((from_us - start) // US_PER_DAY - _DAYS_BACK, 0)
        last = (to_us - 1 - start) // US_PER_DAY
        cuts = [
            self._of_day(location, day).filter(pl.col("ts_us").is_between(from_us, to_us, closed="left"))
            for day in range(first, last + 1)
            for location in self.world.location_ids
        ]
        return pl.concat([pl.DataFrame(schema=_MADE), *cuts]).sort("ts_us", "complaint_id")

    def _of_day(self, location: int, day: int) -> pl.DataFrame:
        key = (self.world.fingerprint, self.world.loop, self.rate, self.since_us, location, day)
        return _COMPLAINTS.get(key, lambda: self._made(location, day))

    def _receipts(self, location: int, day: int) -> pl.DataFrame:
        if day < 0 or (day >= self.world.days and not self.world.loop):
            return self.world.receipts(location, 0).clear()
        key = (self.world.fingerprint, location, day)
        return _RECEIPTS.get(key, lambda: self.world.receipts(location, day))

    def _made(self, location: int, day: int) -> pl.DataFrame:
        """Complaints about the orders that were created at a location on a day."""
        orders = self._receipts(location, day)
        if orders.is_empty():
            return pl.DataFrame(schema=_MADE)
        days = (self._receipts(location, one) for one in range(day - 2, day + _DAYS_BACK + 1))
        around = _Around.of(pl.concat(days))
        rules, world = load_grammar(), self.world
        rng = stream(world.seed, Purpose.COMPLAINTS, location, day % world.days)
        draws, seeds = rng.random((3, orders.height)), rng.integers(0, 2**62, orders.height)
        writing = np.flatnonzero(draws[0] < self.rate)
        categories = _categories(rules, draws[:, writing], _minutes(orders)[writing])
        rows = [
            self._row(orders, index, location, category, around, Chance(Random(int(seeds[index]))))
            for index, category in zip(writing.tolist(), categories, strict=True)
            if sim_micros(orders["created"][index]) >= self.since_us
        ]
        return pl.DataFrame(rows, schema=_MADE, orient="row")

    def _row(
        self, orders: pl.DataFrame, index: int, location: int, category: str, around: _Around, chance: Chance
    ) -> tuple[Any, ...]:
        row, rules = orders.row(index, named=True), load_grammar()
        after_us = _SOONEST_US + (_LATEST_US - _SOONEST_US) * chance.between(0, 1) ** 2
        at_us = sim_micros(row["delivered"]) + int(after_us) // 1000 * 1000
        usual = around.usual(at_us)
        made: Draft = draft(
            self._order(row, usual, rules),
            category,
            usual,
            stranger=_stranger(orders, row["address"], chance),
            alone=around.alone(row["address"], at_us),
            menu=self.world.menu.items,
            rules=rules,
            chance=chance,
        )
        answer = made.answer
        return (
            complaint_id(self.world.seed, row["order_id"]),
            at_us,
            made.linked,
            row["address"],
            made.language,
            made.text,
            location,
            row["order_id"],
            answer.category,
            answer.decision,
            answer.credit_cents,
            answer.priority,
            made.kind,
            made.hard,
        )

    def _order(self, row: dict[str, Any], usual: Usual, rules: Grammar) -> Order:
        items = self.world.menu.items
        # As in `_minutes`: by another division it could be above a percentile that it is itself.
        minutes = (row["delivered"] - row["created"]) // timedelta(microseconds=1) / _MINUTE_US
        return Order(
            order_id=row["order_id"],
            minutes=minutes,
            late=minutes > usual.p75 if usual.deliveries >= rules.least_deliveries else None,
            total_cents=row["total_cents"],
            lines=tuple(
                Line(items[place], items[place].price_cents * qty)
                for place, qty in zip(row["item"], row["qty"], strict=True)
            ),
        )


def _minutes(orders: pl.DataFrame) -> NDArray[np.float64]:
    took = (orders["delivered"] - orders["created"]).dt.total_microseconds().to_numpy()
    return np.asarray(took / _MINUTE_US)


def _categories(rules: Grammar, draws: NDArray[np.float64], minutes: NDArray[np.float64]) -> list[str]:
    """A category for each order that is complained of: drawn by their shares, delays rather for the slow ones."""
    names = list(rules.categories)
    edges = np.cumsum(list(rules.categories.values()))
    drawn = np.minimum(np.searchsorted(edges, draws[1], side="right"), len(names) - 1)
    delays = drawn == names.index(DELAY)
    if not delays.any() or delays.all():
        return [names[place] for place in drawn]
    slow = np.argsort(np.argsort(minutes)) / len(minutes)
    wish = rules.lateness_pull * slow + (1 - rules.lateness_pull) * draws[2]
    found = np.empty(len(minutes), np.int64)
    by_wish = np.argsort(-wish, kind="stable")
    found[by_wish[: delays.sum()]] = names.index(DELAY)
    found[by_wish[delays.sum() :]] = drawn[~delays]
    return [names[place] for place in found]


def _stranger(orders: pl.DataFrame, address: str, chance: Chance) -> str:
    """The id of somebody else's order of that day; where there is none, one that nobody has."""
    for _ in range(20):
        place = int(chance.between(0, orders.height))
        if orders["address"][place] != address:
            return str(orders["order_id"][place])
    return "ZZ99ZZ"
