"""A small bank's lake as a replay leaves it, made in this process without a cluster."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from casper_ray.bank_uses.history import REFERENCE
from casper_ray.domain.bank import FEEDS
from casper_ray.domain.time import US_PER_DAY, SimMicros, sim_micros
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.medallion.runner import Runner
from casper_ray.sim.bank.scenario import load_bank_scenario
from casper_ray.sim.bank.world import BankWorld
from casper_ray.sim.lander import prepared_part
from casper_ray.sim.window import Part, Window

DAYS = 6
REPLAYED = 4
"""Days of them that are."""
_WINDOWS_A_DAY = 4


def small_world() -> BankWorld:
    """120 customers, of whose transactions three in a hundred are crimes."""
    scenario = load_bank_scenario("bank_baseline").model_copy(update={"customers": 120, "prevalence": 0.03})
    return BankWorld.build(scenario, 7, DAYS)


@dataclass(frozen=True, slots=True)
class ReplayedBank:
    """One catalog, replayed by windows of six hours."""

    catalog: Catalog
    world: BankWorld

    @property
    def options(self) -> tuple[str, ...]:
        return ("--lake", str(self.catalog.lake))

    @classmethod
    def at(cls, folder: Path, world: BankWorld | None = None) -> ReplayedBank:
        """Nothing replayed yet."""
        bank = cls(open_catalog(str(folder), "bank_dev"), world or small_world())
        said = {"domain": "bank", "epoch": bank.world.epoch.isoformat(), "days": bank.world.days}
        bank.catalog.world_file.write_text(json.dumps(said))
        for name, rows in bank.world.dimensions().items():
            rows.write_delta(str(bank.catalog.table("simulator", name)))
        truth = pl.concat([bank.world.truth_transactions(day) for day in range(bank.world.days)])
        truth.write_delta(str(bank.catalog.table("truth", "transactions")))
        bank.world.truth_cases().write_delta(str(bank.catalog.table("truth", "cases")))
        return bank

    def replay(self, days: Sequence[int], *, days_a_batch: int = 1) -> ReplayedBank:
        """The days landed and taken in."""
        for first in range(0, len(days), days_a_batch):
            for day in days[first : first + days_a_batch]:
                self.land(day)
            self.take_in()
        return self

    def land(self, day: int) -> None:
        for part in range(_WINDOWS_A_DAY):
            self._land(day * _WINDOWS_A_DAY + part)

    def take_in(self) -> None:
        list(Runner(REFERENCE, self.catalog).run_available())

    def path(self, table: str, schema: str = "retail_banking") -> Path:
        return self.catalog.table(schema, table)

    def table(self, name: str, schema: str = "retail_banking") -> pl.DataFrame:
        return pl.read_delta(str(self.path(name, schema)))

    def delta(self, name: str) -> DeltaTable:
        return DeltaTable(str(self.path(name)))

    def _land(self, number: int) -> None:
        start = sim_micros(self.world.epoch)
        span = US_PER_DAY // _WINDOWS_A_DAY
        since, until = (SimMicros(start + place * span) for place in (number, number + 1))
        window = Window(number, since, until)
        volumes = {feed: self.catalog.volume("simulator", feed) for feed in FEEDS}
        prepared_part(_Told(self.world), volumes, "r", Part(window, 0, since, until)).show()


@dataclass(frozen=True, slots=True)
class _Told:
    """The world as the lander asks it: nothing goes wrong with the telling."""

    world: BankWorld

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        return self.world.events(feed, from_us, to_us)

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        return self.world.lines(feed, events)

    def counted(self, feed: str, events: pl.DataFrame) -> int:
        return events.height
