"""The pass of one batch: its blocks fanned out, judged in order, and done anew where that changed anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from casper_ray.medallion.accounts import Account, total
from casper_ray.medallion.admission import Seen
from casper_ray.medallion.batch import Batch
from casper_ray.medallion.declare import Pipeline, Source
from casper_ray.medallion.fan_out import run_blocks
from casper_ray.medallion.files import blocks, slices
from casper_ray.medallion.memory import BlockJudge, Recalling, Remembered, accepts_late
from casper_ray.medallion.one_pass import BlockResult, BlockTask
from casper_ray.medallion.quality import Tally
from casper_ray.medallion.references import Known
from casper_ray.security.key_source import KeySource

BLOCK_BYTES = 24 << 20
"""A block costs about 40 ms beside its rows: with 16 MiB a pass took an eighth longer on two processors, with 32 MiB
as long, for the last blocks were waited for.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What the pass made of a batch. seen: what is remembered after it, by source."""

    pipeline: Pipeline
    results: list[BlockResult]
    seen: Remembered

    @property
    def accounts(self) -> dict[str, Account]:
        """Per table, and the source; in the order of the pass."""
        found: dict[str, Account] = {}
        for result in self.results:
            for table, account in result.accounts.items():
                found[table] = found.get(table, Account()).plus(account)
        return found

    @property
    def tallies(self) -> dict[tuple[str, str], Tally]:
        found: dict[tuple[str, str], Tally] = {}
        for result in self.results:
            for rule, tally in result.tallies.items():
                found[rule] = found.get(rule, Tally()).plus(tally)
        return found

    @property
    def partials(self) -> dict[str, pl.DataFrame]:
        """Per keyed table that has anything new, the blocks' partial aggregates: a key of several blocks is there
        several times. They are added together where they are added to the table, once.
        """
        frames: dict[str, list[pl.DataFrame]] = {}
        for result in self.results:
            for name, partial in result.partials.items():
                frames.setdefault(name, []).append(partial)
        return {name: pl.concat(parts) for name, parts in frames.items()}

    @property
    def counts(self) -> Account:
        """Of the sources' lines: from lines to rows that count."""
        accounts = self.accounts
        return total(self._counted(source, accounts) for source in self.pipeline.sources)

    def _counted(self, source: Source, accounts: Mapping[str, Account]) -> Account:
        lines = accounts.get(source.name, Account())
        view = self.pipeline.marked(source)
        if view is None or view.name not in accounts:
            return lines
        counted = accounts[view.name]
        return counted._replace(rows_in=lines.rows_in, quarantined=lines.quarantined + counted.quarantined)

    @property
    def newest_us(self) -> int | None:
        """The newest of the events' own times."""
        return max((r.newest_us for r in self.results if r.newest_us is not None), default=None)

    @property
    def peak_bytes(self) -> int:
        return max((result.peak_bytes for result in self.results), default=0)

    def remove_files(self, root: Path) -> None:
        """Take the batch's data files away again: it is not going to be committed. root: the schema's folder."""
        for result in self.results:
            _remove_files(result, root)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRun:
    """What the passes of one pipeline share. progressed(done, of): called as blocks finish."""

    pipeline: Pipeline
    reference: str
    catalog_root: Path
    progressed: Callable[[int, int], None]

    def run(
        self,
        batch: Batch,
        done: frozenset[str],
        seen: Remembered,
        recall: Recalling | None,
        known: Known,
        keys: KeySource | None,
    ) -> Passed:
        """The batch's blocks, done and judged. done: tables that need nothing of it.

        Retry: safe; no table's log knows of what it writes.
        """
        by_source = self._tasks(batch, done, seen, known, keys)
        tasks = [task for turn in by_source for task in turn]
        judge = BlockJudge(self.pipeline, batch, seen, recall)
        results: dict[int, BlockResult] = {}
        for result in run_blocks(by_source):
            judge.add(result)
            results[result.block] = replace(result, digest=None)
            self.progressed(len(results), len(tasks))
        again = [replace(tasks[block], verdict=verdict) for block, verdict in judge.differing.items()]
        for task in again:
            _remove_files(results[task.block], self.catalog_root / self.pipeline.schema)
        for result in run_blocks([[task] for task in again]):
            results[result.block] = result
        in_order = [results[block] for block in sorted(results)]
        return Passed(pipeline=self.pipeline, results=in_order, seen=judge.after())

    def _tasks(
        self,
        batch: Batch,
        done: frozenset[str],
        seen: Remembered,
        known: Known,
        keys: KeySource | None,
    ) -> list[list[BlockTask]]:
        """The batch's blocks, source by source: a block is of one source."""
        by_source: list[list[BlockTask]] = []
        for source in self.pipeline.sources:
            reads = [read for read in batch.reads if self.pipeline.source_of(read.name) is source]
            before = seen.get(source.name, Seen())._replace(keep=accepts_late(batch))
            first, tasks = sum(map(len, by_source)), list[BlockTask]()
            for block in blocks(slices(reads), BLOCK_BYTES):
                tasks.append(
                    BlockTask(
                        pipeline=self.reference,
                        catalog_root=self.catalog_root,
                        batch=batch.number,
                        block=first + len(tasks),
                        slices=block,
                        ingested_at_us=batch.ingested_at_us,
                        quality=batch.quality,
                        done=done,
                        seen=before,
                        known=known,
                        keys=keys,
                    )
                )
                # Rows of later blocks are compared with those of the blocks between, which only the driver sees.
                before = Seen(before.watermark_us, keep=before.keep)
            by_source.append(tasks)
        return by_source


def _remove_files(result: BlockResult, root: Path) -> None:
    for table, files in result.written.items():
        for file in files:
            (root / table / file.path).unlink(missing_ok=True)
