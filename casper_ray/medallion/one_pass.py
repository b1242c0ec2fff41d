"""The one pass over a block of a batch: read, parse, admit, transform, write, aggregate.

Runs in a Ray worker. What leaves it is small: names of the files it wrote, and partial aggregates.
"""

from __future__ import annotations

import importlib
import resource
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from casper_ray import durable
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.medallion.admission import admit
from casper_ray.medallion.declare import Append, Merge, Parsed, Pipeline, Split, Table, no_rejects
from casper_ray.medallion.files import FileSlice, read_slice
from casper_ray.medallion.graph import ordered_tables
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
    rejected = [admission.rejected, *_run_tables(pipeline, task, source, result)]
    _flush(task, pipeline.schema, result)
    refused = pl.concat(rejected)
    if refused.height and QUARANTINE.name not in task.done:
        rows = quarantined(refused, task.batch, task.ingested_at_us)
        result.written[QUARANTINE.name] = _write(rows, QUARANTINE, pipeline.schema, task)
    return result


def _run_tables(
    pipeline: Pipeline, task: BlockTask, source: pl.DataFrame, result: BlockResult
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
            result.written[table.name] = _write(rows, table, pipeline.schema, task)
    return rejected


def _read(pipeline: Pipeline, task: BlockTask) -> list[Parsed]:
    """Each slice's events, with `_source_file` and the instant they were known from."""
    volume = task.catalog_root / pipeline.source.schema / "_volumes" / pipeline.source.volume
    return [_read_one(pipeline, volume, piece) for piece in task.slices]


def _read_one(pipeline: Pipeline, volume: Path, piece: FileSlice) -> Parsed:
    lines = read_slice(volume, piece)
    events, rejected = pipeline.source.parse(lines.data)
    known_from = pl.lit(piece.known_from_us, pl.Int64).cast(pl.Datetime("us", "UTC"))
    return Parsed(
        events.with_columns(
            pl.lit(piece.name).alias("_source_file"),
            pl.max_horizontal(pl.col(pipeline.source.event_time), known_from).alias("_known_ts"),
        ),
        rejected.with_columns(pl.lit(piece.name).alias("source_file"), pl.col("byte_offset") + lines.offset),
    )


def _with_meta(events: pl.DataFrame, pipeline: Pipeline, task: BlockTask) -> pl.DataFrame:
    return events.with_columns(
        pl.lit(task.batch, pl.Int64).alias("_batch_id"),
        pl.lit(task.ingested_at_us, pl.Int64).cast(pl.Datetime("us", "UTC")).alias("_ingested_at"),
    )


def _flush(task: BlockTask, schema: str, result: BlockResult) -> None:
    """Make the files durable here, while other blocks compute; the commit finds them so and need not wait."""
    durable.flush_all(
        task.catalog_root / schema / name / file.path
        for name, files in result.written.items()
        for file in files
    )


def _newest(source: pl.DataFrame, event_time: str) -> int | None:
    newest = source.select(pl.col(event_time).max().dt.epoch("us")).item()
    return None if newest is None else int(newest)


def _write(rows: pl.DataFrame, table: Table, schema: str, task: BlockTask) -> list[DataFile]:
    """The rows as data files: one, or one a partition value."""
    root = task.catalog_root / schema / table.name
    name = f"batch-{task.batch:08d}-{task.block:05d}.parquet"
    # Cast, for a sum of decimals is wider than what it adds up, and readers refuse a wider file.
    rows = rows.select(pl.col(name).cast(dtype) for name, dtype in pl.Schema(table.schema).items())
    if not table.partition_by:
        return [write_data_file(rows, root, name, {}, table.stats)]
    (column,) = table.partition_by
    parts = rows.partition_by(column, as_dict=True, include_key=False, maintain_order=True)
    return [
        write_data_file(part, root, f"{column}={value}/{name}", {column: str(value)}, table.stats)
        for (value,), part in parts.items()
    ]
