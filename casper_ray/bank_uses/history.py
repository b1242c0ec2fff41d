"""Which days of a bank a catalog holds, and what its batches say of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import polars as pl

from casper_ray import durable
from casper_ray.domain.time import US_PER_DAY, SimMicros, as_datetime, sim_micros
from casper_ray.errors import ConfigError, LakeError
from casper_ray.lakehouse.names import Catalog, existing_catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.batches import BATCHES
from casper_ray.medallion.declare import Pipeline, Table, View
from casper_ray.medallion.one_pass import load_pipeline
from casper_ray.medallion.pipelines import PIPELINES

DOMAIN = "bank"
REFERENCE = PIPELINES[DOMAIN]


class Span(NamedTuple):
    """Simulated time with from_us <= t < to_us."""

    from_us: int
    to_us: int

    @property
    def first_day(self) -> date:
        """UTC."""
        return as_datetime(SimMicros(self.from_us)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A bank's catalog that has been replayed. batches: the rows of its table `batches`, oldest first."""

    catalog: Catalog
    pipeline: Pipeline
    epoch: datetime
    days: int
    batches: pl.DataFrame

    @property
    def stored_tables(self) -> tuple[Table, ...]:
        """Tables of the pipeline that are on disk."""
        return tuple(table for table in self.pipeline.tables if not isinstance(table.update, View))

    @property
    def reached_us(self) -> int:
        """Up to where it has been replayed."""
        newest = self.batches["sim_instant"].max()
        return sim_micros(newest) if isinstance(newest, datetime) else 0

    @property
    def whole_days(self) -> int:
        """How many days of the dataset the tables have to their end."""
        return max(0, min(self.days, (self.reached_us - sim_micros(self.epoch)) // US_PER_DAY))

    def day(self, number: int, option: str = "--day") -> Span:
        """The span of a day of the dataset, the first of which is 0.

        Raises: ConfigError where there is no such day, or it has not been replayed to its end.
        """
        if not 0 <= number < self.days:
            raise ConfigError(f"{option} {number}: there is no such day", f"days are 0 to {self.days - 1}")
        if number >= self.whole_days:
            known = f"0 to {self.whole_days - 1}" if self.whole_days else "none yet"
            raise ConfigError(
                f"{option} {number}: has not been replayed to its end; whole days are {known}",
                f"`python -m casper_ray.sim --domain bank --until-day {number + 1}` goes on to there",
            )
        start = sim_micros(self.epoch) + number * US_PER_DAY
        return Span(start, start + US_PER_DAY)


def load_history(lake: str, catalog: str) -> History:
    """What the catalog of a bank holds. Raises: LakeError where there is none, or nothing was replayed yet."""
    found = existing_catalog(lake, catalog)
    world = _world(found)
    pipeline = load_pipeline(REFERENCE)
    path = found.table(pipeline.schema, BATCHES.name)
    batches = scan(path).sort("batch").collect() if (path / "_delta_log").is_dir() else pl.DataFrame()
    if batches.is_empty():
        raise LakeError(
            f"lake {lake}, catalog {catalog}: no batch has come to its tables yet",
            f"`python -m casper_ray.sim --domain bank --lake {lake}` replays it",
        )
    epoch = datetime.fromisoformat(world["epoch"]).astimezone(UTC)
    return History(catalog=found, pipeline=pipeline, epoch=epoch, days=world["days"], batches=batches)


def _world(catalog: Catalog) -> dict[str, Any]:
    """The catalog's world. Raises: LakeError where it has none, or another business's."""
    where = f"lake {catalog.lake}, catalog {catalog.name}"
    hint = "name a bank's with --catalog, or make one with `python -m casper_ray.sim --domain bank`"
    try:
        world = durable.read_json(catalog.world_file)
    except ValueError as error:
        raise LakeError(
            f"{catalog.world_file}: does not say which world this is ({error})", "restore it from a copy"
        ) from error
    if world is None:
        raise LakeError(f"{where}: holds no world", hint)
    if world.get("domain") != DOMAIN:
        raise LakeError(f"{where}: holds no bank; its domain is {world.get('domain')}", hint)
    return world
