"""The bank's world: a specification small enough to travel, and the events and truths it stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

import numpy as np
import polars as pl

from casper_ray.domain.bank import ATM, CARD, COLUMNS, CUSTOMER_CDC, FEEDS, WIRE
from casper_ray.domain.time import CANONICAL_EPOCH, US_PER_DAY, SimMicros, as_datetime, sim_micros
from casper_ray.errors import ConfigError
from casper_ray.sim.bank.actions import Action, actions_digests, checked_actions
from casper_ray.sim.bank.books import load_branches, load_categories, load_places, load_profiles, load_rates
from casper_ray.sim.bank.card_feed import card_events
from casper_ray.sim.bank.cdc_feed import cdc_events
from casper_ray.sim.bank.dimensions import dimensions
from casper_ray.sim.bank.engine import Engine
from casper_ray.sim.bank.expectation import expected_events
from casper_ray.sim.bank.hours import MS_PER_DAY
from casper_ray.sim.bank.lifecycle import Timeline, timeline
from casper_ray.sim.bank.rows import together
from casper_ray.sim.bank.scenario import BankScenario
from casper_ray.sim.bank.streams import STREAM_VERSION
from casper_ray.sim.bank.truth import truth_cases, truth_transactions
from casper_ray.sim.bank.wire_feed import CUT_OFF_MS, wire_events, wire_rows
from casper_ray.sim.cache import BoundedCache
from casper_ray.sim.landing import render_lines

BANK_FORMAT = 2
"""Raised whenever the same seed and scenario would give other bytes than before."""

_MB = 1_000_000
_ENGINES: BoundedCache[Engine] = BoundedCache(8, lambda _: 1)
_NOTHING: BoundedCache[pl.DataFrame] = BoundedCache(32, lambda _: 1)
"""Feeds without an event: most windows of a long day have none of some feed, and it takes as long to say so."""
_TIMELINES: BoundedCache[Timeline] = BoundedCache(300 * _MB, Timeline.estimated_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class BankWorld:
    """A bank under a scenario, from a seed. Build it with `build`.

    Only this specification is pickled. Days are made where they are needed and kept per process, within about
    1 GB for a million customers and a few MB for 5,000; they depend on nothing but the specification, so every
    process and every window sees the same bytes.

    Stepping: ask for events up to an instant, make a world with actions at or after it (`with_actions`), and go
    on asking that one. What is before an action is the same with it and without.
    """

    feeds: ClassVar[tuple[str, ...]] = FEEDS

    seed: int
    days: int
    epoch: datetime
    scenario: BankScenario
    fingerprint: str
    actions: tuple[Action, ...] = ()

    @classmethod
    def build(
        cls,
        scenario: BankScenario,
        seed: int,
        days: int | None = None,
        epoch: datetime = CANONICAL_EPOCH,
    ) -> BankWorld:
        """The world of `scenario`. `days` overrides the scenario's; `epoch` is day 0, 00:00 UTC.

        Raises: ConfigError if days or seed cannot be, or a scenario names a typology that there is not.
        """
        length = scenario.days if days is None else days
        if not 1 <= length <= 16_000 or seed < 0:
            raise ConfigError(f"world: days {length} and seed {seed}", "days are 1 to 16000 and seeds from 0")
        start = as_datetime(SimMicros(sim_micros(epoch) // 1000 * 1000))
        if start.time() != datetime.min.time():
            raise ConfigError(f"world: epoch {epoch}", "a bank's day 0 begins at 00:00 UTC")
        world = cls(
            seed=seed,
            days=length,
            epoch=start,
            scenario=scenario,
            fingerprint=_fingerprint(seed, scenario, length, start),
        )
        world.engine.cases  # noqa: B018 (a typology that there is not is refused here)
        return world

    def with_actions(self, actions: Iterable[Action]) -> BankWorld:
        """This world with these actions besides those it has.

        Raises: ConfigError if there is no such customer, card or limit, or an action precedes day 0.
        """
        together_ = (*self.actions, *actions)
        taken = checked_actions(together_, self.seed, self.scenario.customers, self._start_us)
        return replace(self, actions=taken)

    @property
    def shards(self) -> int:
        return self.scenario.shards

    @property
    def engine(self) -> Engine:
        """This process's days of this world."""
        return _ENGINES.get(
            self.digest(),
            lambda: Engine(self.scenario, self.seed, self.days, self.epoch, self.actions, self.fingerprint),
        )

    def digest(self) -> str:
        """16 hex digits: worlds of the same digest tell the same events."""
        if not self.actions:
            return self.fingerprint
        return hashlib.sha256((self.fingerprint + actions_digests(self.actions)[-1]).encode()).hexdigest()[
            :16
        ]

    def end_us(self) -> int:
        """The exclusive end of the data: just after the wire file of the day after the last."""
        return self._start_us + self.days * US_PER_DAY + CUT_OFF_MS * 1000 + 1000

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        """The events of a feed that arrive with from_us <= ts_us < to_us.

        Returns: domain.bank.COLUMNS[feed] and ts_us (microseconds since 1970-01-01 UTC, whole milliseconds), one row
                 per event, sorted by (ts_us, event_id).
        Rules:   ts is ts_us as text, except that a processor's duplicate repeats the ts of the event it repeats.
        Raises:  ConfigError if there is no such feed.
        """
        if feed not in FEEDS:
            raise ConfigError(f"feed {feed!r}: unknown", f"feeds are {', '.join(FEEDS)}")
        first = (from_us - self._start_us) // US_PER_DAY
        last = (to_us - 1 - self._start_us) // US_PER_DAY
        if feed in (CARD, ATM):
            return self._card(feed, first, last, -(-from_us // 1000), -(-to_us // 1000))
        make = self._wire if feed == WIRE else self._cdc
        days = range(max(first, 0), min(last, self.days) + 1)
        parts = [part for day in days if (part := make(day, -(-from_us // 1000), -(-to_us // 1000))).height]
        return pl.concat(parts) if parts else self._nothing(feed)

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        """A feed's events as lines, fields in the order of domain.bank.COLUMNS."""
        return render_lines(events, COLUMNS[feed])

    def truth_transactions(self, day: int) -> pl.DataFrame:
        """What each transaction of a day really is: one row each, sorted by (customer, time).

        Returns: transaction_id, customer_id, feed, ts (UTC), amount_base Decimal(18, 2), auth_result, is_crime,
                 typology and twin_of (names or null), case_id (or null), right_decision (approve, hold, block or
                 escalate).
        """
        return truth_transactions(self.seed, self.engine.rows(day), self._start_us)

    def truth_cases(self) -> pl.DataFrame:
        """Every case of a crime or of its benign twin that left a transaction: one row each, sorted by case_id.

        Returns: case_id, typology, twin (bool), begin_day, agent, right_decision, transactions, amount_base
                 Decimal(18, 2) of approved ones. Needs all days to be settled.
        """
        return truth_cases(self.engine)

    def dimensions(self) -> dict[str, pl.DataFrame]:
        """The tables beside the feeds by name; see `dimensions.dimensions`."""
        return dimensions(self.engine)

    def expected_events(self, from_us: int, to_us: int, feed: str | None = None) -> float:
        """How many events are to be expected in a window; costs no generation of any."""
        start = self._start_us
        return expected_events(
            self.scenario, self.seed, self.days, self.epoch, from_us - start, to_us - start, feed
        )

    @property
    def _start_us(self) -> int:
        return int(sim_micros(self.epoch))

    def _card(self, feed: str, first: int, last: int, from_ms: int, to_ms: int) -> pl.DataFrame:
        """Events of card or ATM transactions of the window's days and of the day before, which reach into it."""
        rows, places, steps, arrive, told = [], [], [], [], []
        held = 0
        for day in range(max(first - 1, 0), min(last, self.days - 1) + 1):
            start = self._start_us // 1000 + day * MS_PER_DAY
            line = self._timeline(feed, day)
            cut = line.between(from_ms - start, to_ms - start)
            if cut.start >= cut.stop:
                continue
            used, place = np.unique(line.row[cut], return_inverse=True)
            rows.append(self.engine.rows(day)[used])
            places.append(place + held)
            steps.append(line.step[cut].astype(np.int64))
            arrive.append(start + line.at[cut].astype(np.int64))
            told.append(start + line.told[cut].astype(np.int64))
            held += len(used)
        if not rows:
            return self._nothing(feed)
        parts = (np.concatenate(part) for part in (places, steps, arrive, told))
        return card_events(
            self.seed, self.engine.estate, feed, self._start_us // 1000, together(rows), *parts
        )

    def _timeline(self, feed: str, day: int) -> Timeline:
        key = (self.engine.key(day), feed)
        return _TIMELINES.get(key, lambda: timeline(self.seed, self.engine.rows(day), feed))

    def _wire(self, day: int, from_ms: int, to_ms: int) -> pl.DataFrame:
        cut_off = self._start_us // 1000 + day * MS_PER_DAY + CUT_OFF_MS
        if not from_ms <= cut_off < to_ms:
            return self._nothing(WIRE)
        rows = wire_rows(self.engine.rows(day - 1), self.engine.rows(day))
        return wire_events(self.seed, rows, self._start_us // 1000, day) if len(rows) else self._nothing(WIRE)

    def _cdc(self, day: int, from_ms: int, to_ms: int) -> pl.DataFrame:
        if day >= self.days:
            return self._nothing(CUSTOMER_CDC)
        start = self._start_us // 1000 + day * MS_PER_DAY
        return cdc_events(self.engine, day, from_ms - start, to_ms - start)

    def _nothing(self, feed: str) -> pl.DataFrame:
        """No events, with the feed's columns and types."""
        return _NOTHING.get((self.digest(), feed), lambda: self._no_events(feed))

    def _no_events(self, feed: str) -> pl.DataFrame:
        if feed == WIRE:
            return wire_events(self.seed, together([]), 0, 0)
        if feed == CUSTOMER_CDC:
            return cdc_events(self.engine, -1, 0, 0)
        none = np.empty(0, dtype=np.int64)
        return card_events(self.seed, self.engine.estate, feed, 0, together([]), none, none, none, none)


def _fingerprint(seed: int, scenario: BankScenario, days: int, epoch: datetime) -> str:
    books = (load_categories(), load_profiles(), load_places(), load_branches(), load_rates())
    parts = (BANK_FORMAT, STREAM_VERSION, seed, scenario.digest(), days, epoch.isoformat(), books)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
