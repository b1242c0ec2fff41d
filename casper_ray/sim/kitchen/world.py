"""The kitchen world: a specification small enough to travel, and the events and truths it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import numpy as np
import polars as pl

from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS
from casper_ray.domain.time import CANONICAL_EPOCH, US_PER_DAY, SimMicros, as_datetime, sim_micros
from casper_ray.errors import ConfigError
from casper_ray.sim.cache import BoundedCache
from casper_ray.sim.kitchen.addresses import AddressBook, build_address_book
from casper_ray.sim.kitchen.basket import Shelf, build_shelf
from casper_ray.sim.kitchen.dimensions import dimensions
from casper_ray.sim.kitchen.estate import build_locations, check_demand
from casper_ray.sim.kitchen.events import EVENT_SCHEMA, day_events
from casper_ray.sim.kitchen.expectation import EVENTS_AN_ORDER, expected_orders
from casper_ray.sim.kitchen.fingerprint import fingerprint
from casper_ray.sim.kitchen.ids import SlotPlan, plan_slots
from casper_ray.sim.kitchen.incidents import Incident
from casper_ray.sim.kitchen.menu import Menu, load_menu
from casper_ray.sim.kitchen.orders import Orders, day_orders
from casper_ray.sim.kitchen.places import Location
from casper_ray.sim.kitchen.receipts import day_receipts
from casper_ray.sim.kitchen.truth import Yardstick, build_yardstick, order_truth
from casper_ray.sim.landing import render_lines
from casper_ray.sim.scenario import Scenario

NEVER_US = sim_micros(datetime(9999, 1, 1, tzinfo=CANONICAL_EPOCH.tzinfo))

_MB = 1_000_000
_BOOKS: BoundedCache[AddressBook] = BoundedCache(300 * _MB, AddressBook.estimated_bytes)
_FRAMES: BoundedCache[pl.DataFrame] = BoundedCache(100 * _MB, lambda frame: 250 * frame.height + 10_000)
_SHELVES: BoundedCache[Shelf] = BoundedCache(10, lambda _: 1)
_YARDSTICKS: BoundedCache[Yardstick] = BoundedCache(10_000, lambda _: 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KitchenWorld:
    """Ghost kitchens under a scenario, from a seed. Build it with `build`.

    loop: past the last day the dataset begins again. It says how far the world goes on, not what it is, so it is
    no part of the fingerprint.

    Only this specification is pickled. Streets, address books and generated days are built where they
    are needed and kept per process, within about 400 MB; they depend on nothing but the specification,
    so every process and every window sees the same bytes.
    """

    feeds: ClassVar[tuple[str, ...]] = (EVENTS,)

    seed: int
    days: int
    epoch: datetime
    scenario: Scenario
    locations: tuple[Location, ...]
    menu: Menu
    slots: SlotPlan
    fingerprint: str
    loop: bool = False

    @classmethod
    def build(
        cls,
        scenario: Scenario,
        seed: int,
        days: int | None = None,
        epoch: datetime = CANONICAL_EPOCH,
        *,
        loop: bool = False,
    ) -> KitchenWorld:
        """The world of `scenario`. `days` overrides the scenario's; `epoch` is day 0, 00:00.

        Raises: ConfigError if the scenario cannot be: too many orders, locations or days, unknown ids.
        """
        length = scenario.days if days is None else days
        if length < 1 or seed < 0:
            raise ConfigError(f"world: days {length} and seed {seed}", "days start at 1 and seeds at 0")
        menu = load_menu()
        locations = build_locations(scenario, menu)
        slots = plan_slots(len(locations), length)
        check_demand(locations, scenario, length, epoch)
        start = as_datetime(SimMicros(sim_micros(epoch) // 1000 * 1000))
        return cls(
            seed=seed,
            days=length,
            epoch=start,
            scenario=scenario,
            locations=locations,
            menu=menu,
            slots=slots,
            fingerprint=fingerprint(seed, scenario, length, start, locations, menu),
            loop=loop,
        )

    @property
    def location_ids(self) -> tuple[int, ...]:
        return tuple(location.id for location in self.locations)

    def digest(self) -> str:
        """16 hex digits: worlds of the same digest tell the same events."""
        return self.fingerprint

    def events(
        self, feed: str, from_us: int, to_us: int, location_ids: Sequence[int] | None = None
    ) -> pl.DataFrame:
        """The events with from_us <= ts < to_us; `feed`: the one there is.

        Returns: EVENT_SCHEMA, one row per event, sorted by (ts, order_id, sequence). ts_us: microseconds
                 since 1970-01-01 UTC, whole milliseconds.
        Rules:   past the last day nothing is created, and what was under way is delivered; in a world that
                 loops the dataset begins again: time rises on, order ids get -L1, -L2, ...
        Raises:  ConfigError if a location id is unknown.
        """
        first = max((from_us - self._start_us) // US_PER_DAY - 1, 0)
        last = (to_us - 1 - self._start_us) // US_PER_DAY
        if not self.loop:
            last = min(last, self.days - 1)
        cuts = [
            cut
            for index in self._indexes(location_ids)
            for day in range(first, last + 1)
            if (cut := _between(self._day_events(index, day), from_us, to_us)).height
        ]
        if len(cuts) < 2:
            return cuts[0] if cuts else pl.DataFrame(schema=EVENT_SCHEMA)
        return pl.concat(cuts).sort("ts_us", "order_id", "sequence")

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        """The events as lines, fields in the order of EVENT_COLUMNS."""
        return render_lines(events, EVENT_COLUMNS)

    def end_us(self) -> int:
        """The exclusive end of the data: just after the last event of the last day. A loop has none."""
        if self.loop:
            return NEVER_US
        last_days = range(max(self.days - 2, 0), self.days)
        ends = [
            int(self._orders(index, day).times.delivered.max(initial=0))
            for index in range(len(self.locations))
            for day in last_days
        ]
        return self._start_us + (max(ends) + 1) * 1000

    def truth(self, location_id: int, day: int) -> pl.DataFrame:
        """What really happened to the orders created at a location on a day (absolute: it may loop).

        Returns: one row per order, sorted by created_ts: order_id, location_id, order_day (date),
                 created_ts, delivered_ts (UTC), total_minutes = kitchen_minutes (created to ready)
                 + handover_minutes (ready to picked up) + drive_minutes; *_delay_minutes, each stage's
                 excess over the location's undisturbed mean, which may be negative; p50_, p75_,
                 p99_minutes of the location's undisturbed world; lateness on_time (to P75), late, very_late
                 (over P99); true_cause none, or of a late order the stage with the largest excess;
                 incident, the scenario's that delayed it most, or null; late_minutes over P75, >= 0;
                 order_total Decimal(18, 2).
        """
        (index,) = self._indexes([location_id])
        return order_truth(
            self._orders(index, day % self.days),
            self._incidents(index),
            self._shelf(),
            self._yardstick(index),
            location_id,
            self.seed,
            self.slots.first_number(index, day % self.days),
            self._start_ms(day),
            day // self.days,
        )

    def receipts(self, location_id: int, day: int) -> pl.DataFrame:
        """What was ordered at a location on a day (absolute: it may loop), and by whom; see `day_receipts`."""
        (index,) = self._indexes([location_id])
        return day_receipts(
            self._orders(index, day % self.days),
            self._book(index),
            self._shelf(),
            self.seed,
            self.slots.first_number(index, day % self.days),
            self._start_ms(day),
            day // self.days,
        )

    def dimensions(self) -> dict[str, pl.DataFrame]:
        """The dimension tables by name: locations, brands, brand_locations, menus, categories, items."""
        return dimensions(self.locations, self.menu)

    def expected_orders(self, from_us: int, to_us: int) -> float:
        """How many orders are to be expected in a window; costs no generation of any."""
        start = self._start_us
        return sum(
            expected_orders(
                place, self._incidents(index), self.days, self.epoch, from_us - start, to_us - start
            )
            for index, place in enumerate(self.locations)
        )

    def expected_events(self, from_us: int, to_us: int) -> float:
        """How many events are to be expected in a window."""
        return self.expected_orders(from_us, to_us) * EVENTS_AN_ORDER

    @property
    def _start_us(self) -> int:
        return sim_micros(self.epoch)

    def _start_ms(self, day: int) -> int:
        """Instant from which times of the loop that `day` is in count, in milliseconds since 1970."""
        return (self._start_us + day // self.days * self.days * US_PER_DAY) // 1000

    def _indexes(self, location_ids: Sequence[int] | None) -> list[int]:
        place = {location.id: index for index, location in enumerate(self.locations)}
        wanted = self.location_ids if location_ids is None else location_ids
        if unknown := sorted(set(wanted) - place.keys()):
            raise ConfigError(f"world: unknown locations {unknown}", f"known are {list(place)[:20]}")
        return [place[location_id] for location_id in wanted]

    def _incidents(self, index: int) -> tuple[Incident, ...]:
        location_id = self.locations[index].id
        return tuple(incident for incident in self.scenario.incidents if incident.touches(location_id))

    def _shelf(self) -> Shelf:
        return _SHELVES.get(self.fingerprint, lambda: build_shelf(self.menu))

    def _book(self, index: int) -> AddressBook:
        place = self.locations[index]
        key = (self.seed, place.id, place.name, place.lat, place.lon)
        return _BOOKS.get(key, lambda: build_address_book(place, self.seed))

    def _yardstick(self, index: int) -> Yardstick:
        place, book = self.locations[index], self._book(index)
        key = (self.seed, place.id, place.name, place.lat, place.lon)
        return _YARDSTICKS.get(key, lambda: build_yardstick(book, place.id, self.seed))

    def _orders(self, index: int, day: int) -> Orders:
        place, book = self.locations[index], self._book(index)
        return day_orders(place, self._incidents(index), self._shelf(), book, day, self.epoch, self.seed)

    def _day_events(self, index: int, day: int) -> pl.DataFrame:
        """Events of the orders created on a day, which may loop; kept for the next window."""
        return _FRAMES.get((self.fingerprint, index, day), lambda: self._made_events(index, day))

    def _made_events(self, index: int, day: int) -> pl.DataFrame:
        loop, dataset_day = divmod(day, self.days)
        return day_events(
            self._orders(index, dataset_day),
            self._book(index),
            self._shelf(),
            self.locations[index].id,
            self.seed,
            self.slots.first_number(index, dataset_day),
            self._start_ms(day),
            loop,
        )


def _between(frame: pl.DataFrame, from_us: int, to_us: int) -> pl.DataFrame:
    """The rows of a sorted frame with from_us <= ts_us < to_us."""
    start, end = np.searchsorted(frame["ts_us"].to_numpy(), [from_us, to_us]).tolist()
    return frame.slice(start, max(end - start, 0))
