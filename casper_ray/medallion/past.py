"""Batches that are over, as `batches` tells of them: enough to run one again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casper_ray.domain.time import sim_micros
from casper_ray.lakehouse.commit import table_has
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import OpenTable
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.batch import Batch
from casper_ray.medallion.batches import BATCHES, marks_of, reads_of, versions_of
from casper_ray.medallion.declare import Pipeline
from casper_ray.medallion.memory import watermarks_of
from casper_ray.medallion.quarantine import QUARANTINE
from casper_ray.medallion.rule_book import RuleBook


@dataclass(frozen=True, slots=True, kw_only=True)
class PastBatch:
    """A batch, where watermarks stood before it (by source), and the tables that it brought rows to, or made anew."""

    batch: Batch
    marks_before_us: Mapping[str, int]
    brought: frozenset[str]

    def lacking(self, tables: Mapping[str, OpenTable], names: tuple[str, ...], app: str) -> frozenset[str]:
        """Of these tables those that should have the batch, and have not."""
        due = (name for name in names if name in self.brought)
        return frozenset(name for name in due if not table_has(tables[name], app, self.batch.number))


def past_batches(catalog: Catalog, schema: str, book: RuleBook) -> Iterator[PastBatch]:
    """Every batch, oldest first."""
    marks_us: dict[str, int] = {}
    for row in scan(catalog.table(schema, BATCHES.name)).sort("batch").collect().iter_rows(named=True):
        yield PastBatch(batch=_batch(row, book), marks_before_us=marks_us, brought=_brought(row))
        marks_us = marks_of(row["watermarks"])


def last_remade(past: list[PastBatch], pipeline: Pipeline) -> int:
    """The number of the last batch that made anew a table which remembers every row; 0 if none did."""
    logs = {watermark.log for watermark in watermarks_of(pipeline).values()}
    return max((one.batch.number for one in past if logs & set(one.batch.replaces)), default=0)


def _batch(row: dict[str, Any], book: RuleBook) -> Batch:
    return Batch(
        number=row["batch"],
        reads=reads_of(row["files"], row["reads"]),
        sim_instant_us=None if row["sim_instant"] is None else sim_micros(row["sim_instant"]),
        ingested_at_us=sim_micros(row["ingested_at"]),
        quality=book.rules(row["quality"]),
        replaces=tuple(row["replaces"]),
        references=versions_of(row["references"]),
        keys=versions_of(row["keys"]),
    )


def _brought(row: dict[str, Any]) -> frozenset[str]:
    if row["replaces"]:
        return frozenset(row["replaces"])
    brought = {account["table"] for account in row["accounts"] if account["rows_out"]}
    refused = any(account["rows_quarantined"] for account in row["accounts"])
    return frozenset(brought | ({QUARANTINE.name} if refused else set()))
