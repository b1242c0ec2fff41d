"""The world as tables: its dimensions, and the truth of what happened in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import ray

from casper_ray.domain.time import US_PER_DAY, SimMicros, sim_micros
from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable, TableFormat
from casper_ray.main_job.domains.domain import Truth
from casper_ray.sim.world import World

_APP = "casper/world"
_DAYS_AT_ONCE = 10


def write_dimensions(catalog: Catalog, dimensions: Mapping[str, pl.DataFrame]) -> None:
    """A world's dimensions, in schema `simulator`. Retry: safe."""
    for name, rows in dimensions.items():
        path = catalog.table("simulator", name)
        table = OpenTable(path, TableFormat(schema=arrow_schema(rows)))
        commit_once(table, app=_APP, batch=1, change=partial(_first_rows, rows=rows))


class TruthWriter:
    """The tables of schema `truth`: what really happened on every whole day that the replay has passed.

    Written beside the replay, by workers that have a moment, and committed once a stretch of days: the number
    of the batch is the day up to which the truth is told. The world says the same truth of a day whenever it is
    asked; loops add no rows (what begins again is the same again). A table that is not told day by day is all there
    with batch 1.
    """

    def __init__(self, catalog: Catalog, world: World, truth: Sequence[Truth[Any]]) -> None:
        self._world = world
        self._epoch_us = sim_micros(world.epoch)
        self._tables = [_TruthTable(catalog, world, table) for table in truth]

    def follow(self, position_us: SimMicros, *, wait: bool = False) -> None:
        """Tell the truth of the days before `position_us` that is not told yet; with `wait`, all of it now."""
        passed = min(self._world.days, (position_us - self._epoch_us) // US_PER_DAY)
        for table in self._tables:
            table.follow(passed, wait)


class _TruthTable:
    """One of them, and the rows of it that a worker is making."""

    def __init__(self, catalog: Catalog, world: World, truth: Truth[Any]) -> None:
        self._world, self._truth = world, truth
        schema = arrow_schema(truth.rows(world, 0, 0))
        self._table = OpenTable(
            catalog.table("truth", truth.table), TableFormat(schema=schema, stats=truth.stats)
        )
        self._told = self._table.committed_batch(_APP) or 0
        self._pending: tuple[int, Any] | None = None

    def follow(self, passed_days: int, wait: bool) -> None:
        while self._step(passed_days if self._truth.daily else 1, wait):
            pass

    def _step(self, passed: int, wait: bool) -> bool:
        """Commit what is ready, or ask for what comes next. False: nothing to do now."""
        if self._pending is None:
            if self._told >= passed:
                return False
            until = min(passed, self._told + _DAYS_AT_ONCE)
            end_day = until if self._truth.daily else self._world.days
            asked = _write_truth.remote(self._world, self._truth, self._told, end_day, self._table.path)
            self._pending = (until, asked)
        until, answer = self._pending
        if not wait and not ray.wait([answer], timeout=0)[0]:
            return False
        file = ray.get(answer)
        commit_once(self._table, app=_APP, batch=until, change=lambda _: Change(add=(file,)))
        self._told, self._pending = until, None
        return True


@ray.remote
def _write_truth(world: World, truth: Truth[Any], first_day: int, end_day: int, path: Path) -> DataFile:
    rows = truth.rows(world, first_day, end_day)
    return write_data_file(rows, path, f"days-{first_day:06d}-{end_day:06d}.parquet", {}, truth.stats)


def _first_rows(table: OpenTable, rows: pl.DataFrame) -> Change:
    return Change(add=(write_data_file(rows, table.path, "world.parquet", {}, ()),))


def arrow_schema(rows: pl.DataFrame) -> pa.Schema:
    """The schema with the types that Delta knows (no views, no large strings)."""
    fields = []
    for field in rows.clear().to_arrow().schema:
        kind = field.type
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.string()
        fields.append(pa.field(field.name, kind))
    return pa.schema(fields)
