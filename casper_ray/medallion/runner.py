"""The runner: takes what is new in the volume through the pass and into every table, once."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from casper_ray.errors import ConfigError, LakeError
from casper_ray.failpoints import reach
from casper_ray.freed import give_back
from casper_ray.lakehouse.commit import table_has
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import ASK_FSCK
from casper_ray.medallion.accounts import check_balance
from casper_ray.medallion.batch import Batch, BatchJournal
from casper_ray.medallion.batch_report import BatchReport, report_of
from casper_ray.medallion.batches import BATCHES, batch_row, committed_progress
from casper_ray.medallion.declare import Pipeline
from casper_ray.medallion.files import Read
from casper_ray.medallion.graph import check_rules, checked_tables
from casper_ray.medallion.hiding import key_versions, keys_at
from casper_ray.medallion.intake import Intake, first_bytes, instant_of
from casper_ray.medallion.memory import Memory, Recalling, Remembered
from casper_ray.medallion.one_pass import load_pipeline
from casper_ray.medallion.pass_run import Passed, PassRun
from casper_ray.medallion.past import PastBatch, last_remade, past_batches
from casper_ray.medallion.quality import Quality, RuleError
from casper_ray.medallion.quality_config import resolve_quality
from casper_ray.medallion.quality_log import log_rows, stopping
from casper_ray.medallion.quarantine import QUARANTINE
from casper_ray.medallion.references import References
from casper_ray.medallion.rule_book import RuleBook
from casper_ray.medallion.tables import PipelineTables
from casper_ray.security.key_source import RunKeys, load_keys

BATCH_BYTES = 512 << 20
_LARGE_BYTES = BATCH_BYTES // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a run is asked for. quality: see `resolve_quality`. late_accepted: late rows count all the same.
    mending: the tables may lack what `batches` says they have, for that is to be mended. judged_by: these rules, and
    not those of `quality`. keys: these, and not the catalog's own; for tables that are to be like another catalog's.

    progressed(done, of): called as blocks of a batch finish.
    """

    quality: str | None = None
    late_accepted: bool = False
    mending: bool = False
    judged_by: Quality | None = None
    keys: RunKeys | None = None
    progressed: Callable[[int, int], None] = field(default=lambda done, of: None)


class Runner:
    """One pipeline over one catalog. The caller holds the pipeline's lease.

    Blocks run on Ray where this process has one, else here. Raises, from every method: StoppedBatchError where a
    rule stops the batch; LakeError where a table lacks what `batches` says it has.
    """

    def __init__(self, reference: str, catalog: Catalog, wishes: Wishes | None = None) -> None:
        wishes = wishes or Wishes()
        self.pipeline: Pipeline = load_pipeline(reference)
        self.catalog = catalog
        specs = checked_tables(self.pipeline)
        self._quality = wishes.judged_by or resolve_quality(self.pipeline, wishes.quality)
        check_rules(self.pipeline, self._quality)
        self._tables = PipelineTables(self.pipeline, specs, catalog)
        self.tables = self._tables.tables
        self._journal = BatchJournal(catalog.state / f"{self.pipeline.name}-batch.json")
        self._book = RuleBook(catalog.state / "rules")
        self._references = References(catalog, self.pipeline)
        self._keys = wishes.keys or (load_keys(catalog.state) if self.pipeline.hides else None)
        files_root = self.pipeline.files_root(catalog.root)
        self._intake = Intake(files_root, self.pipeline, late_accepted=wishes.late_accepted)
        self._pass = PassRun(
            pipeline=self.pipeline,
            reference=reference,
            catalog_root=catalog.root,
            progressed=wishes.progressed,
        )
        self._mending = wishes.mending
        self._run_id = uuid.uuid4().hex
        self._recovered = False
        self._seen: Remembered | None = None
        self.progress = committed_progress(catalog, self.pipeline.schema)

    @property
    def app(self) -> str:
        """The name under which the tables' logs count this pipeline's batches."""
        return self._tables.app

    @property
    def warning(self) -> str:
        """What the user should know of the keys; empty where there is nothing."""
        return self._keys.warning if self._keys else ""

    def waiting_bytes(self) -> int:
        """How much there is to do: of a batch that a crash left, and of what is new in the volume."""
        pending = None if self._recovered else self._journal.pending()
        left = pending.reads if pending and pending.number > self.progress.last_batch else ()
        return sum(read.size_bytes for read in (*left, *self._intake.new_reads(self.progress)))

    def recover(self) -> BatchReport | None:
        """Finish the batch that a crash left half done, from what was written down of it. No other begins before."""
        if self._recovered:
            return None
        if not self._mending:
            self._tables.check_versions(self.progress)
        pending = self._journal.pending()
        if pending is not None:
            self._refuse_lost_batches(pending.number)
        self._recovered = True
        if pending is None or pending.number <= self.progress.last_batch:
            return None
        self._tables.remove_unfinished_files()
        return self._run(pending)

    def run_available(self, sim_instant_us: int | None = None) -> Iterable[BatchReport]:
        """Batches over what no batch had, until there is nothing left.

        sim_instant_us: where simulated time stands; None: as far as the files' own windows say.
        """
        if recovered := self.recover():
            yield recovered
        while new := self._intake.new_reads(self.progress):
            reads = first_bytes(new, BATCH_BYTES)
            yield self._start(tuple(self._intake.dated(reads, self.progress, sim_instant_us)), sim_instant_us)

    def refresh(self, *names: str) -> BatchReport:
        """The named tables (none named: all) anew, from every file in the volume, as one batch.

        Each changes over in one commit, so a reader sees the old table or the new one. What is new in the volume
        comes along only where every table takes it in.
        Raises: ConfigError for a name that is no table of the pipeline; LakeError where files are lost whose rows
        only the tables have.
        """
        self._check_names(names)
        self.recover()
        replaces = names or tuple(self.tables)
        whole = set(replaces) == self.tables.keys()
        return self._start(tuple(self._intake.all_reads(self.progress, new=whole)), None, replaces=replaces)

    def bring_forward(self, *names: str) -> list[BatchReport]:
        """The batches that `batches` has and these tables' logs have not, run again for these tables alone.

        For a table whose newest commits were lost. Each batch is judged as it was: by its own rules, remembering what
        was before it. Where the log table was made anew since, nothing remembers that: such tables are made anew too.
        Retry: safe.
        """
        self._check_names(names)
        past_ones = list(past_batches(self.catalog, self.pipeline.schema, self._book))
        remade = last_remade(past_ones, self.pipeline)
        reports, forgotten = [], set[str]()
        for past in past_ones:
            lacking = past.lacking(self.tables, names, self.app)
            if past.batch.number < remade:
                forgotten |= lacking
            elif lacking - forgotten or not self._tables.has_logged(past.batch):
                reports.append(self._run_again(past, lacking - forgotten))
        return [*reports, self.refresh(*sorted(forgotten))] if forgotten else reports

    def lacking_batches(self) -> Counter[str]:
        """How many batches each table lacks that it should have."""
        return Counter(
            name
            for past in past_batches(self.catalog, self.pipeline.schema, self._book)
            for name in past.lacking(self.tables, tuple(self.tables), self.app)
        )

    def _run_again(self, past: PastBatch, names: frozenset[str]) -> BatchReport:
        started = time.perf_counter()
        batch = past.batch
        seen: Remembered = {}
        recall: Recalling | None = None
        if not batch.replaces:
            memory = Memory(self.catalog, self.pipeline, past.marks_before_us, batch.number)
            seen, recall = memory.all(), memory.since
        known, keys = self._references.known(batch.references), keys_at(self._keys, batch.keys)
        passed = self._pass.run(batch, frozenset(self.tables.keys() - names), seen, recall, known, keys)
        computed = time.perf_counter()
        partials = passed.partials
        log = log_rows(self._run_id, batch, passed.tallies, batch.sim_instant_us, stopped=False)
        self._tables.commit(batch, passed.results, partials, log)
        return report_of(batch, passed, partials, started, computed)

    def _refuse_lost_batches(self, begun: int) -> None:
        """Raises: LakeError where `batches` lacks a batch before the newest that was begun: its files would be taken
        for new ones.
        """
        last = self.progress.last_batch
        if begun > last + 1:
            path = self.catalog.table(self.pipeline.schema, BATCHES.name)
            raise LakeError(f"table {path}: ends with batch {last}, though batch {begun} was begun", ASK_FSCK)

    def _check_names(self, names: Iterable[str]) -> None:
        if unknown := set(names) - self.tables.keys():
            raise ConfigError(
                f"no table {sorted(unknown)} in pipeline {self.pipeline.name!r}",
                f"tables are {sorted(self.tables)}",
            )

    def _start(
        self, reads: tuple[Read, ...], sim_instant_us: int | None, *, replaces: tuple[str, ...] = ()
    ) -> BatchReport:
        batch = Batch(
            number=self.progress.last_batch + 1,
            reads=reads,
            sim_instant_us=instant_of(reads, self.pipeline, self.progress, sim_instant_us),
            ingested_at_us=time.time_ns() // 1000,
            quality=self._quality,
            replaces=replaces,
            references=self._references.versions,
            keys=key_versions(self._keys),
        )
        self._journal.write(batch)
        return self._run(batch)

    def _run(self, batch: Batch) -> BatchReport:
        reach("batch.before_data")
        started = time.perf_counter()
        try:
            passed = self._passed(batch)
        except RuleError:
            self._journal.forget()  # other rules are another batch
            raise
        reach("batch.after_data")
        self._stop_if_asked(batch, passed)
        computed = time.perf_counter()
        partials = passed.partials
        written = self._tables.written_rows(batch, passed.results)
        check_balance(passed.accounts, written, batch.number, QUARANTINE.name)
        log = log_rows(self._run_id, batch, passed.tallies, self._instant(batch, passed), stopped=False)
        self._tables.commit(batch, passed.results, partials, log)
        self._end(batch, passed)
        if sum(read.size_bytes for read in batch.reads) > _LARGE_BYTES:
            give_back()
        return report_of(batch, passed, partials, started, computed)

    def _passed(self, batch: Batch) -> Passed:
        """The pass over the batch, which remembers what came before it: a refresh, nothing, for it has it all."""
        has = {name for name, table in self.tables.items() if table_has(table, self.app, batch.number)}
        spared = self.tables.keys() - set(batch.replaces) if batch.replaces else set()
        known, keys = self._references.known(batch.references), keys_at(self._keys, batch.keys)
        if batch.replaces:
            return self._pass.run(batch, frozenset(has | spared), {}, None, known, keys)
        memory = Memory(self.catalog, self.pipeline, self.progress.marks_us, batch.number)
        if self._seen is None:
            self._seen = memory.all()
        return self._pass.run(batch, frozenset(has | spared), self._seen, memory.since, known, keys)

    def _stop_if_asked(self, batch: Batch, passed: Passed) -> None:
        """Raises: StoppedBatchError, once the log says so and nothing else is left of the batch."""
        stop = stopping(batch, passed.tallies)
        if stop is None:
            return
        instant = self._instant(batch, passed)
        self._tables.log_stopped(batch, log_rows(self._run_id, batch, passed.tallies, instant, stopped=True))
        passed.remove_files(self.catalog.root / self.pipeline.schema)
        self._journal.forget()
        raise stop

    def _instant(self, batch: Batch, passed: Passed) -> int | None:
        """The simulated instant of the batch, which never goes back."""
        reached = batch.sim_instant_us if batch.sim_instant_us is not None else passed.newest_us
        known = (us for us in (reached, self.progress.sim_instant_us) if us is not None)
        return max(known, default=None)

    def _end(self, batch: Batch, passed: Passed) -> None:
        """Commit the row that says that every table has the batch; remember what it says."""
        marks_us = _furthest(self.progress.marks_us, passed.seen)
        instant_us = self._instant(batch, passed)
        self._tables.end(
            batch,
            batch_row(
                batch,
                passed.counts,
                passed.accounts,
                marks_us=marks_us,
                instant_us=instant_us,
                tables=self.tables,
                quality=self._book.keep(batch.quality),
            ),
        )
        self.progress.note(batch.reads)
        self.progress.last_batch = batch.number
        self.progress.marks_us, self.progress.sim_instant_us = marks_us, instant_us
        self.progress.versions = {name: table.version for name, table in self.tables.items()}
        self._seen = {
            source: seen._replace(watermark_us=marks_us.get(source)) for source, seen in passed.seen.items()
        }


def _furthest(before_us: Mapping[str, int], seen: Remembered) -> dict[str, int]:
    """Where the watermark of each source stands after a batch; none goes back."""
    after_us = {name: one.watermark_us for name, one in seen.items() if one.watermark_us is not None}
    return {
        name: max(us for us in (before_us.get(name), after_us.get(name)) if us is not None)
        for name in before_us.keys() | after_us.keys()
    }
