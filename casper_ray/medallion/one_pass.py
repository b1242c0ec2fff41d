"""The one pass over a block of a batch: read, parse, judge, transform, hold against the rules, write, aggregate.

Runs in a Ray worker. What leaves it is small: names of the files it wrote, partial aggregates, counts, and a few
bytes a row by which the driver judges the block once more (see `admission`).
"""

from __future__ import annotations

import importlib
import json
import resource
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import polars as pl

from casper_ray import durable
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.data_file import DataFile
from casper_ray.medallion.accounts import Account
from casper_ray.medallion.admission import ADMITTED, DUPLICATE, LATE, Digest, Seen, Verdict, judge
from casper_ray.medallion.block_files import BlockWriter
from casper_ray.medallion.block_source import (
    BlockRows,
    digest_of,
    located,
    read_block,
    with_meta,
)
from casper_ray.medallion.columns import LINE, SOURCE_FILE, no_rejects
from casper_ray.medallion.declare import Append, Merge, Pipeline, Source, Split, Table
from casper_ray.medallion.files import FileSlice
from casper_ray.medallion.graph import ordered_tables
from casper_ray.medallion.hiding import hidden
from casper_ray.medallion.lookups import looked_up
from casper_ray.medallion.merge import partial_aggregate
from casper_ray.medallion.quality import Quality, Tally, judged
from casper_ray.medallion.quarantine import QUARANTINE, quarantined
from casper_ray.medallion.references import Known
from casper_ray.security.key_source import KeySource


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTask:
    """One block's work. pipeline: `module:NAME`, imported where it runs. done: tables that have the batch.

    seen: what is remembered of the rows before, as far as it is known when the block begins. verdict: the driver's
    word on the block's rows, where it has one: then it holds, and the worker judges nothing. known: what is known
    elsewhere. slices: of files of one source. keys: where the keys are that personal columns are hidden with.
    """

    pipeline: str
    catalog_root: Path
    batch: int
    block: int
    slices: tuple[FileSlice, ...]
    ingested_at_us: int
    quality: Quality
    done: frozenset[str] = frozenset()
    seen: Seen = field(default_factory=Seen)
    verdict: Verdict | None = None
    known: Known = field(default_factory=dict)
    keys: KeySource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockResult:
    """What a block gives: data files per appended table, partial aggregates per merged table, accounts, tallies.

    accounts: per table, views too; the source's own name stands for lines to events. tallies: per (table, rule).
    source: the name of the block's.
    digest, verdict: for the driver to judge again; None where the pipeline has no watermark, or the driver's word
    was followed. newest_us: of the events' own times. peak_bytes: the worker's largest resident size so far.
    """

    block: int
    source: str
    written: dict[str, list[DataFile]] = field(default_factory=dict)
    partials: dict[str, pl.DataFrame] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    digest: Digest | None = None
    verdict: Verdict | None = None
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
    return _done(task)[0]


def run_in_turn(tasks: Iterable[BlockTask]) -> Iterator[BlockResult]:
    """Do blocks of one source that follow each other. Each but the first remembers the rows of those before it,
    beside what its task knows: so the driver, who judges it once more, seldom finds otherwise.

    Retry: as `run_block`, the whole turn.
    """
    before: Seen | None = None
    for task in tasks:
        result, before = _done(task if before is None else replace(task, seen=before))
        yield result


def _done(task: BlockTask) -> tuple[BlockResult, Seen]:
    """The block's result, and what is remembered after it."""
    pipeline = load_pipeline(task.pipeline)
    source, volume = (
        pipeline.source_of(task.slices[0].read.name),
        pipeline.files_root(task.catalog_root),
    )
    rows = read_block(volume, source, task.slices)
    digest, verdict, seen = _judged(pipeline.marked(source), task, rows)
    newest = rows.events.select(pl.col(source.event_time).max().dt.epoch("us")).item()
    result = BlockResult(
        block=task.block,
        source=source.name,
        digest=digest,
        verdict=verdict,
        newest_us=None if newest is None else int(newest),
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
    result.accounts[source.name] = Account(
        rows_in=rows.lines, rows_out=rows.events.height, quarantined=rows.rejected.height
    )
    events = with_meta(rows.events, verdict, task.batch, task.ingested_at_us, source.references, task.known)
    with durable.Flushes() as flushes:
        block = _Block(
            task,
            pipeline,
            source,
            result,
            BlockWriter(task.catalog_root / pipeline.schema, _stem(task), flushes),
        )
        refused = pl.concat([rows.rejected, *block.run(events)])
        if refused.height and QUARANTINE.name not in task.done:
            found = quarantined(located(refused, volume, task.slices), task.batch, task.ingested_at_us)
            result.written[QUARANTINE.name] = block.writer.write(found, QUARANTINE)
    _locate_samples(result, volume, task)
    return result, seen


def _judged(
    marked: Table | None, task: BlockTask, rows: BlockRows
) -> tuple[Digest | None, Verdict | None, Seen]:
    if marked is None or marked.watermark is None or marked.name not in task.quality.lateness_us:
        return None, None, task.seen
    if task.verdict is not None:
        return None, task.verdict, task.seen
    digest = digest_of(rows, task.slices, marked.watermark)
    return digest, *judge(digest, task.seen, task.quality.lateness_us[marked.name])


def _stem(task: BlockTask) -> str:
    return f"batch-{task.batch:08d}-{task.block:05d}"


@dataclass(frozen=True, slots=True)
class _Block:
    """The tables of one block, made one after the other."""

    task: BlockTask
    pipeline: Pipeline
    source: Source
    result: BlockResult
    writer: BlockWriter

    def run(self, events: pl.DataFrame) -> list[pl.DataFrame]:
        """Every table's rows in the graph's order, written or aggregated; returns what was refused."""
        frames = {self.source.name: events}
        refused = []
        # Also of tables that are done: the account is of all of them. Those of other sources are not made.
        for table in ordered_tables(self.pipeline):
            read = [frames[name] for name in table.inputs if name in frames]
            if not read:
                continue
            rows, not_made = self._made(table, read[0] if len(read) == 1 else pl.concat(read))
            frames[table.name] = rows
            refused += not_made
            if table.name not in self.task.done:
                self._keep(table, rows)
        return refused

    def _made(self, table: Table, read: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """The table's rows as its rules leave them, and what its transform and they refused."""
        seen = hidden(looked_up(read, table.lookups, self.task.known), table, self.task.keys)
        made = table.transform(seen)
        rows, not_made = made if isinstance(made, Split) else (made, no_rejects())
        account = Account(rows_in=rows.height + not_made.height, quarantined=not_made.height)
        if table.watermark and (verdict := self.result.verdict) is not None:
            counted = pl.Series(verdict)
            account = account._replace(
                duplicate=int((counted == DUPLICATE).sum()), late=int((counted == LATE).sum())
            )
            rows = rows.filter(counted == ADMITTED)
        kept = judged(rows, table, self.task.quality.of(table.name))
        refused = [] if kept.refused is None else [kept.refused]
        self.result.accounts[table.name] = account._replace(
            rows_out=kept.rows.height,
            dropped=kept.dropped,
            quarantined=account.quarantined + sum(frame.height for frame in refused),
        )
        self.result.tallies.update({(table.name, rule): tally for rule, tally in kept.tallies.items()})
        named = pl.col("table").fill_null(table.name)
        return kept.rows, [*([not_made.with_columns(named)] if not_made.height else []), *refused]

    def _keep(self, table: Table, rows: pl.DataFrame) -> None:
        if isinstance(table.update, Merge):
            self.result.partials[table.name] = partial_aggregate(table.update, rows)
        elif isinstance(table.update, Append) and rows.height:
            self.result.written[table.name] = self.writer.write(rows, table)


def _locate_samples(result: BlockResult, volume: Path, task: BlockTask) -> None:
    """Samples say their file and the line in it, from 1, as the quarantine does."""
    for key, tally in result.tallies.items():
        if tally.samples:
            texts = tuple(map(partial(_located_sample, volume=volume, task=task), tally.samples))
            result.tallies[key] = tally._replace(samples=texts)


def _located_sample(text: str, volume: Path, task: BlockTask) -> str:
    sample = json.loads(text)
    if SOURCE_FILE not in sample:
        return text
    place = pl.DataFrame(
        {"source_file": [sample.pop(SOURCE_FILE)], "line_number": [sample.pop(LINE)]},
        schema={"source_file": pl.String, "line_number": pl.Int64},
    )
    return json.dumps(sample | located(place, volume, task.slices).row(0, named=True))
