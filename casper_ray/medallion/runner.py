"""The runner: takes what is new in the volume through the pass and into every table, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from casper_ray.errors import ConfigError
from casper_ray.failpoints import reach
from casper_ray.lakehouse.commit import commit_once, table_has
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.lakehouse.volume import VolumeFile, new_files
from casper_ray.medallion.batch import Batch, BatchJournal
from casper_ray.medallion.batches import BATCHES, Counts, batch_row, committed_progress
from casper_ray.medallion.declare import Append, Merge, Pipeline, Table
from casper_ray.medallion.fan_out import run_blocks
from casper_ray.medallion.files import blocks, slices
from casper_ray.medallion.graph import checked_tables
from casper_ray.medallion.merge import MergedTable, RecentFiles, partial_aggregate
from casper_ray.medallion.one_pass import BlockResult, BlockTask, load_pipeline
from casper_ray.medallion.quarantine import QUARANTINE

BATCH_BYTES = 512 << 20
BLOCK_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What a batch did. partials: merged partial aggregates per keyed table. seconds: wall time per phase."""

    batch: Batch
    counts: Counts
    newest_us: int | None
    partials: dict[str, pl.DataFrame]
    seconds: dict[str, float]
    worker_peak_bytes: int


class Runner:
    """One pipeline over one catalog. The caller holds the pipeline's lease and has Ray running.

    `progressed(done, of)` is called as blocks of a batch finish.
    """

    def __init__(
        self, reference: str, catalog: Catalog, progressed: Callable[[int, int], None] | None = None
    ) -> None:
        self.pipeline: Pipeline = load_pipeline(reference)
        self.catalog = catalog
        self._reference = reference
        self._progressed = progressed or (lambda done, of: None)
        self._specs = (*checked_tables(self.pipeline), QUARANTINE)
        self.tables = {spec.name: self._open(spec) for spec in self._specs}
        self._batches = self._open(BATCHES)
        self._merged = {
            spec.name: MergedTable(spec, spec.update, RecentFiles())
            for spec in self._specs
            if isinstance(spec.update, Merge)
        }
        self._journal = BatchJournal(catalog.state / f"{self.pipeline.name}-batch.json")
        self._recovered = False
        self.progress = committed_progress(catalog, self.pipeline.schema)
        self._threads = ThreadPoolExecutor(len(self._specs), thread_name_prefix="commit")

    @property
    def app(self) -> str:
        """The name under which the tables' logs count this pipeline's batches."""
        return f"casper/{self.pipeline.name}"

    def recover(self) -> BatchReport | None:
        """Finish the batch that a crash left half done, from what was written down of it. No other begins before."""
        pending = None if self._recovered else self._journal.pending()
        self._recovered = True
        if pending is None or pending.number <= self.progress.last_batch:
            return None
        self._remove_unfinished_files()
        return self._run(pending)

    def run_available(self, sim_instant_us: int | None = None) -> Iterable[BatchReport]:
        """Batches over the files that no batch had, until there are none left.

        sim_instant_us: where simulated time stands; None: as far as the files' own windows say.
        """
        if recovered := self.recover():
            yield recovered
        while files := new_files(self._volume, self.progress.files):
            yield self._start(_first_bytes(files, BATCH_BYTES), sim_instant_us)

    def refresh(self, *names: str) -> BatchReport:
        """The named tables (none named: all) anew, from every file in the volume, as one batch.

        Each changes over in one commit, so a reader sees the old table or the new one.
        Raises: ConfigError for a name that is no table of the pipeline.
        """
        if unknown := set(names) - self.tables.keys():
            raise ConfigError(
                f"no table {sorted(unknown)} in pipeline {self.pipeline.name!r}",
                f"tables are {sorted(self.tables)}",
            )
        self.recover()
        replaces = names or tuple(self.tables)
        return self._start(new_files(self._volume, set()), None, replaces=replaces)

    def _start(
        self, files: list[VolumeFile], sim_instant_us: int | None, *, replaces: tuple[str, ...] = ()
    ) -> BatchReport:
        windows = [self.pipeline.source.window_of(file.name) for file in files]
        ends = [window.to_us for window in windows if window]
        # A window that has landed ahead of the pipeline counts to its end: nobody knew its rows before.
        given = [] if sim_instant_us is None else [sim_instant_us]
        instant = max([*given, *ends], default=None)
        before = instant if instant is not None else self.progress.sim_instant_us
        batch = Batch(
            number=self.progress.last_batch + 1,
            files=tuple(files),
            known_from_us=tuple(
                window.from_us if window else self.progress.files.get(file.name, before)
                for file, window in zip(files, windows, strict=True)
            ),
            sim_instant_us=instant,
            ingested_at_us=time.time_ns() // 1000,
            replaces=replaces,
        )
        self._journal.write(batch)
        return self._run(batch)

    def _run(self, batch: Batch) -> BatchReport:
        reach("batch.before_data")
        started = time.perf_counter()
        results = self._pass(batch)
        reach("batch.after_data")
        passed = time.perf_counter()
        partials = self._merge_partials(results)
        self._commit_tables(batch, results, partials)
        counts = _counts(results)
        newest = [self.progress.newest_us, *(r.newest_us for r in results)]
        newest_us = max((us for us in newest if us is not None), default=None)
        self._end(batch, counts, newest_us)
        return BatchReport(
            batch=batch,
            counts=counts,
            newest_us=newest_us,
            partials=partials,
            seconds={"pass": passed - started, "commit": time.perf_counter() - passed},
            worker_peak_bytes=max((r.peak_bytes for r in results), default=0),
        )

    def _pass(self, batch: Batch) -> list[BlockResult]:
        done = self._tables_without_work(batch)
        cut = slices(zip(batch.files, batch.known_from_us, strict=True))
        tasks = [
            BlockTask(
                pipeline=self._reference,
                catalog_root=self.catalog.root,
                batch=batch.number,
                block=number,
                slices=block,
                ingested_at_us=batch.ingested_at_us,
                done=done,
            )
            for number, block in enumerate(blocks(cut, BLOCK_BYTES))
        ]
        results = []
        for result in run_blocks(tasks) if tasks else ():
            results.append(result)
            self._progressed(len(results), len(tasks))
        return sorted(results, key=lambda result: result.block)

    def _tables_without_work(self, batch: Batch) -> frozenset[str]:
        """Tables that have the batch, from before a crash, and those that a refresh leaves alone."""
        has = {name for name, table in self.tables.items() if table_has(table, self.app, batch.number)}
        spared = self.tables.keys() - set(batch.replaces) if batch.replaces else set()
        return frozenset(has | spared)

    def _merge_partials(self, results: list[BlockResult]) -> dict[str, pl.DataFrame]:
        merged = {}
        for name, table in self._merged.items():
            frames = [result.partials[name] for result in results if name in result.partials]
            if frames:
                merged[name] = partial_aggregate(table.update, pl.concat(frames))
        return merged

    def _commit_tables(
        self, batch: Batch, results: list[BlockResult], partials: dict[str, pl.DataFrame]
    ) -> None:
        """One commit a table, side by side: no table waits for another, and a rerun mends any subset."""
        note = {"batch": str(batch.number)}

        def commit(spec: Table) -> None:
            added = tuple(file for result in results for file in result.written.get(spec.name, ()))
            partial = partials.get(spec.name)
            nothing_new = not added and (partial is None or not partial.height)
            if nothing_new and spec.name not in batch.replaces:
                return
            commit_once(
                self.tables[spec.name],
                app=self.app,
                batch=batch.number,
                change=lambda table: self._change(spec, table, batch, added, partial),
                note=note,
            )

        list(self._threads.map(commit, self._specs))

    def _change(
        self,
        spec: Table,
        table: OpenTable,
        batch: Batch,
        added: tuple[DataFile, ...],
        partial: pl.DataFrame | None,
    ) -> Change:
        replace = spec.name in batch.replaces
        if isinstance(spec.update, Append) or partial is None:
            return Change(add=added, remove=tuple(table.files.values()) if replace else ())
        return self._merged[spec.name].change(table, partial, f"batch-{batch.number:08d}", replace=replace)

    def _end(self, batch: Batch, counts: Counts, newest_us: int | None) -> None:
        """Commit the row that says that every table has the batch; remember what it says."""
        row = batch_row(batch, counts, newest_us, self.progress.sim_instant_us, self.tables)
        file = write_data_file(
            row, self._batches.path, f"batch-{batch.number:08d}.parquet", {}, BATCHES.stats
        )
        commit_once(self._batches, app=self.app, batch=batch.number, change=lambda _: Change(add=(file,)))
        progress = self.progress
        for read, known_from_us in zip(batch.files, batch.known_from_us, strict=True):
            progress.files.setdefault(read.name, known_from_us)
        self.progress = progress._replace(
            last_batch=batch.number,
            newest_us=newest_us,
            sim_instant_us=row["sim_instant"].dt.epoch("us").item(),
        )

    def _open(self, spec: Table) -> OpenTable:
        return OpenTable(self.catalog.table(self.pipeline.schema, spec.name), spec.layout)

    @property
    def _volume(self) -> Path:
        return self.catalog.volume(self.pipeline.source.schema, self.pipeline.source.volume)

    def _remove_unfinished_files(self) -> None:
        """Data files that a killed worker did not finish writing; none of them is in a log."""
        for table in self.tables.values():
            for part in table.path.rglob(".*.part"):
                part.unlink(missing_ok=True)


def _first_bytes(files: list[VolumeFile], limit_bytes: int) -> list[VolumeFile]:
    """As many files from the front as fit the limit, one at least."""
    taken: list[VolumeFile] = []
    filled = 0
    for file in files:
        if taken and filled + file.size_bytes > limit_bytes:
            break
        taken.append(file)
        filled += file.size_bytes
    return taken


def _counts(results: list[BlockResult]) -> Counts:
    total = Counts()
    for r in results:
        total = total.plus(Counts(r.rows_in, r.rows_out, r.rows_duplicate, r.rows_late, r.rows_quarantined))
    return total
