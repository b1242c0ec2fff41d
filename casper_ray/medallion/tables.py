"""A pipeline's tables held open, and a batch's commits to them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import polars as pl

from casper_ray.errors import LakeError
from casper_ray.lakehouse.commit import commit_once, table_has
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.lakehouse.upkeep import Upkeep
from casper_ray.medallion.batch import Batch
from casper_ray.medallion.batches import BATCHES, Progress
from casper_ray.medallion.declare import Append, Merge, Pipeline, Table, View
from casper_ray.medallion.fan_out import write_anywhere
from casper_ray.medallion.merge import MergedTable
from casper_ray.medallion.one_pass import BlockResult
from casper_ray.medallion.quality_log import QUALITY_LOG
from casper_ray.medallion.quarantine import QUARANTINE
from casper_ray.medallion.recent_files import RecentFiles


class PipelineTables:
    """Every stored table of a pipeline. tables: those that a batch brings rows to, with the quarantine."""

    def __init__(self, pipeline: Pipeline, specs: Sequence[Table], catalog: Catalog) -> None:
        self.app = f"casper/{pipeline.name}"
        self._catalog, self._schema = catalog, pipeline.schema
        stored = [spec for spec in specs if not isinstance(spec.update, View)]
        self._specs = (*stored, QUARANTINE)
        self._threads = ThreadPoolExecutor(len(self._specs) + 1, thread_name_prefix="commit")
        *opened, self._batches, self._log = self._threads.map(
            self._open, (*self._specs, BATCHES, QUALITY_LOG)
        )
        self.tables = dict(zip((spec.name for spec in self._specs), opened, strict=True))
        turn = Lock()
        self._merged = {
            spec.name: MergedTable(spec, spec.update, RecentFiles(), write_anywhere, turn=turn)
            for spec in stored
            if isinstance(spec.update, Merge)
        }
        self._upkeep = Upkeep([*self.tables.values(), self._batches, self._log])

    def commit(
        self,
        batch: Batch,
        results: Sequence[BlockResult],
        partials: dict[str, pl.DataFrame],
        log: pl.DataFrame,
    ) -> None:
        """One commit a table, side by side: no table waits for another, and a rerun mends any subset."""

        def commit(spec: Table) -> None:
            if spec is QUALITY_LOG:
                self._append(self._log, self.app, batch.number, log, f"batch-{batch.number:08d}")
            else:
                self._commit_one(spec, batch, results, partials.get(spec.name))

        list(self._threads.map(commit, (*self._specs, QUALITY_LOG)))

    def log_stopped(self, batch: Batch, log: pl.DataFrame) -> None:
        """The quality log of a batch that was not committed: counted by wall time, for its number is used again."""
        stem = f"stopped-{batch.ingested_at_us:016d}"
        self._append(self._log, f"{self.app}/stopped", batch.ingested_at_us, log, stem)

    def has_logged(self, batch: Batch) -> bool:
        """Whether the quality log has all that it should have of a batch."""
        return not batch.quality.rules or table_has(self._log, self.app, batch.number)

    def end(self, batch: Batch, row: pl.DataFrame) -> None:
        """The row that says that every table has the batch; and the upkeep that is due with it."""
        self._append(self._batches, self.app, batch.number, row, f"batch-{batch.number:08d}")
        self._upkeep.after(batch.number)

    def check_versions(self, progress: Progress) -> None:
        """Raises: LakeError where a table's log ends before what `batches` says: a commit was lost."""
        for name, version in progress.versions.items():
            found = self.tables[name].version if name in self.tables else version
            if found < version:
                raise LakeError(
                    f"table {self._schema}.{name}: its log ends at version {found}, but batch "
                    f"{progress.last_batch} left version {version}: commits were lost",
                    "`casper lake fsck` says what is amiss, `casper lake repair` mends it",
                )

    def written_rows(self, batch: Batch, results: Sequence[BlockResult]) -> dict[str, int]:
        """Rows in the data files of a batch, of each table that is only appended to and had to be written."""
        return {
            spec.name: sum(file.rows for result in results for file in result.written.get(spec.name, ()))
            for spec in self._specs
            if isinstance(spec.update, Append)
            and (not batch.replaces or spec.name in batch.replaces)
            and not table_has(self.tables[spec.name], self.app, batch.number)
        }

    def remove_unfinished_files(self) -> None:
        """Data files that a killed worker did not finish writing; none of them is in a log."""
        for table in (*self.tables.values(), self._batches, self._log):
            for part in table.path.rglob(".*.part"):
                part.unlink(missing_ok=True)

    def _commit_one(
        self, spec: Table, batch: Batch, results: Sequence[BlockResult], partial: pl.DataFrame | None
    ) -> None:
        added = tuple(file for result in results for file in result.written.get(spec.name, ()))
        nothing_new = not added and (partial is None or not partial.height)
        if nothing_new and spec.name not in batch.replaces:
            return
        commit_once(
            self.tables[spec.name],
            app=self.app,
            batch=batch.number,
            change=lambda table: self._change(spec, table, batch, added, partial),
            note={"batch": str(batch.number)},
        )

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

    def _append(self, table: OpenTable, app: str, number: int, rows: pl.DataFrame, stem: str) -> None:
        """The rows as one file; written only where the table has not got the batch."""

        def change(table: OpenTable) -> Change:
            return Change(add=(write_data_file(rows, table.path, f"{stem}.parquet", {}, ("batch",)),))

        if rows.height:
            commit_once(table, app=app, batch=number, change=change, note={"batch": str(number)})

    def _open(self, spec: Table) -> OpenTable:
        return OpenTable(self._catalog.table(self._schema, spec.name), spec.layout)
