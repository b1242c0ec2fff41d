"""The one pass over a block of a batch: read, parse, admit, transform, write, aggregate.

Runs in a Ray worker. What leaves it is small: names of the files it wrote, and partial aggregates.
"""

from __future__ import annotations

import importlib
import resource
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from casper_ray import durable
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.medallion.admission import admit
from casper_ray.medallion.declare import Append, Merge, Parsed, Pipeline, Split, Table, no_rejects
from casper_ray.medallion.files import FileSlice, WholeLines, read_slice
from casper_ray.medallion.graph import ordered_tables
from casper_ray.medallion.json_lines import line_count
from casper_ray.medallion.merge import partial_aggregate
from casper_ray.medallion.quarantine import QUARANTINE, quarantined


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTask:
    """One block's work. pipeline: `module:NAME`, imported where it runs. done: tables that have the batch."""

    pipeline: str
    catalog_root: Path
    batch: int
    block: int
    slices: tuple[FileSlice, ...]
    ingested_at_us: int
    done: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockResult:
    """What a block gives: data files per appended table, partial aggregates per merged table, counts.

    peak_bytes: the worker's largest resident size so far.
    """

    block: int
    written: dict[str, list[DataFile]] = field(default_factory=dict)
    partials: dict[str, pl.DataFrame] = field(default_factory=dict)
    rows_in: int = 0
    rows_out: int = 0
    rows_duplicate: int = 0
    rows_late: int = 0
    rows_quarantined: int = 0
    newest_us: int | None = None
    peak_bytes: int = 0


def load_pipeline(reference: str) -> Pipeline:
    """The pipeline that `module:NAME` names. Raises: ConfigError."""
    module, _, name = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), name or "PIPELINE")
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"pipeline {reference!r}: cannot be loaded ({error})", "module:NAME") from error
    if not isinstance(found, Pipeline):
        raise ConfigError(f"pipeline {reference!r}: is a {type(found).__name__}, expected a Pipeline")
    return found


def run_block(task: BlockTask) -> BlockResult:
    """Do one block. Retry: safe, also while another process does the same: equal files, equal names."""
    pipeline = load_pipeline(task.pipeline)
    admission = admit(_read(pipeline, task))
    source = _with_meta(admission.rows, pipeline, task)
    result = BlockResult(
        block=task.block,
        rows_in=admission.rows_in,
        rows_out=source.height,
        rows_duplicate=admission.duplicates,
        rows_late=admission.late,
        rows_quarantined=admission.rejected.height,
        newest_us=_newest(source, pipeline.source.event_time),
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
    with durable.Flushes() as flushes:
        writer = _Writer(task, pipeline.schema, flushes)
        rejected = [admission.rejected, *_run_tables(pipeline, task, source, result, writer)]
        refused = pl.concat(rejected)
        if refused.height and QUARANTINE.name not in task.done:
            rows = quarantined(refused, task.batch, task.ingested_at_us)
            result.written[QUARANTINE.name] = writer.write(rows, QUARANTINE)
    return result


def _run_tables(
    pipeline: Pipeline, task: BlockTask, source: pl.DataFrame, result: BlockResult, writer: _Writer
) -> list[pl.DataFrame]:
    """Every table's rows in the graph's order, written or aggregated; returns what transforms refused."""
    frames = {pipeline.source.name: source}
    rejected = []
    needed = {table.reads for table in pipeline.tables}
    for table in ordered_tables(pipeline):
        if {table.name, QUARANTINE.name} <= task.done and table.name not in needed:
            continue
        made = table.transform(frames[table.reads])
        rows, refused = made if isinstance(made, Split) else (made, no_rejects())
        rejected.append(refused)
        frames[table.name] = rows
        if table.name in task.done:
            continue
        if isinstance(table.update, Merge):
            result.partials[table.name] = partial_aggregate(table.update, rows)
        elif isinstance(table.update, Append) and rows.height:
            result.written[table.name] = writer.write(rows, table)
    return rejected


def _read(pipeline: Pipeline, task: BlockTask) -> list[Parsed]:
    """The block's events, with `_source_file` and the instant they were known from: all of them together where
    every line is an event, which is the usual case and the quicker one; else slice by slice.
    """
    volume = task.catalog_root / pipeline.source.schema / "_volumes" / pipeline.source.volume
    read = [(piece, read_slice(volume, piece)) for piece in task.slices]
    data = b"".join(_ended(lines.data) for _, lines in read)
    whole = pipeline.source.parse(data)
    heights = [line_count(lines.data) for _, lines in read]
    if whole.events.height == sum(heights) and not whole.rejected.height:
        return [Parsed(_traced(whole.events, pipeline, task.slices, heights), whole.rejected)]
    return [_read_one(pipeline, piece, lines) for piece, lines in read]


def _ended(lines: bytes) -> bytes:
    """The lines with the last of them ended, so that other lines can follow."""
    return lines if not lines or lines.endswith(b"\n") else lines + b"\n"


def _read_one(pipeline: Pipeline, piece: FileSlice, lines: WholeLines) -> Parsed:
    events, rejected = pipeline.source.parse(lines.data)
    return Parsed(
        _traced(events, pipeline, [piece], [events.height]),
        rejected.with_columns(pl.lit(piece.name).alias("source_file"), pl.col("byte_offset") + lines.offset),
    )


def _traced(
    events: pl.DataFrame, pipeline: Pipeline, pieces: Sequence[FileSlice], heights: Sequence[int]
) -> pl.DataFrame:
    """Events with where each came from and from when it was known; `heights` rows of each piece, in order."""
    which = pl.lit(pl.Series(np.repeat(np.arange(len(pieces)), heights)))
    names = pl.lit(pl.Series([piece.name for piece in pieces], dtype=pl.String))
    known_from = pl.lit(
        pl.Series([piece.known_from_us for piece in pieces], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    )
    return events.with_columns(
        names.gather(which).alias("_source_file"),
        pl.max_horizontal(pl.col(pipeline.source.event_time), known_from.gather(which)).alias("_known_ts"),
    )


def _with_meta(events: pl.DataFrame, pipeline: Pipeline, task: BlockTask) -> pl.DataFrame:
    return events.with_columns(
        pl.lit(task.batch, pl.Int64).alias("_batch_id"),
        pl.lit(task.ingested_at_us, pl.Int64).cast(pl.Datetime("us", "UTC")).alias("_ingested_at"),
    )


def _newest(source: pl.DataFrame, event_time: str) -> int | None:
    newest = source.select(pl.col(event_time).max().dt.epoch("us")).item()
    return None if newest is None else int(newest)


class _Writer(NamedTuple):
    """Writes a block's rows as data files. They are made durable here, while the block goes on computing; the
    commit finds them so and need not wait.
    """

    task: BlockTask
    schema: str
    flushes: durable.Flushes

    def write(self, rows: pl.DataFrame, table: Table) -> list[DataFile]:
        """The rows as data files: one, or one a partition value."""
        name = f"batch-{self.task.batch:08d}-{self.task.block:05d}.parquet"
        # Cast, for a sum of decimals is wider than what it adds up, and readers refuse a wider file.
        rows = rows.select(pl.col(name).cast(dtype) for name, dtype in pl.Schema(table.schema).items())
        if not table.partition_by:
            return [self._write_one(rows, table, name, {})]
        (column,) = table.partition_by
        parts = rows.partition_by(column, as_dict=True, include_key=False, maintain_order=True)
        return [
            self._write_one(part, table, f"{column}={value}/{name}", {column: str(value)})
            for (value,), part in parts.items()
        ]

    def _write_one(
        self, rows: pl.DataFrame, table: Table, path: str, partition: dict[str, str | None]
    ) -> DataFile:
        root = self.task.catalog_root / self.schema / table.name
        file = write_data_file(rows, root, path, partition, table.stats)
        self.flushes.begin(root / path)
        return file
