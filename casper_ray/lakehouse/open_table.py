"""A Delta table held open by its one committer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake._internal import RemoveAction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import Transaction

from casper_ray import durable
from casper_ray.errors import LakeError
from casper_ray.lakehouse.data_file import DataFile, add_action, system_error
from casper_ray.lakehouse.log import ACTIONS, HINT, newest_commits

KEYED = "keyed: its files are its segments"
"""The table's description where `TableFormat.keyed`: delta-rs lets no property in that it does not know."""

_CHECKPOINT_EVERY = 25
"""Versions from one checkpoint to the next. A commit reads the log since the last one: at 100, delta-rs's default, a
commit took 30 ms of processor time, at 25 half of that."""
_AFTER_COMMIT = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
"""Looking for log files that are old enough to go, with every commit, looks at each of them: after 1,000 versions a
commit took 15 ms of processor time with it, 5 ms without. It would end time travel unasked, too."""


_NONE_BESIDE: Final[Mapping[str, int]] = MappingProxyType({})

ASK_FSCK = "`casper lake fsck` says what is amiss, `casper lake repair` mends it"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFormat:
    """How a table lies on disk. stats: columns with data-skipping statistics, none of them personal.

    change_feed: Delta's change data feed is on. keyed: its files are its segments, and are not to be put together.
    """

    schema: pa.Schema
    partition_by: tuple[str, ...] = ()
    stats: tuple[str, ...] = ()
    change_feed: bool = False
    keyed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one commit does to a table's files. data_change: False where the rows stay the same."""

    add: tuple[DataFile, ...] = ()
    remove: tuple[DataFile, ...] = ()
    data_change: bool = True


class OpenTable:
    """A handle that follows its own commits: version, live files, rows.

    `files` maps path to data file. The handle is for one thread at a time. Opening costs the length of the
    log; a commit costs what it changes, plus what delta-rs spends on its snapshot.
    """

    def __init__(self, path: Path, layout: TableFormat) -> None:
        self.path, self.layout = path, layout
        self._handle = _open_or_create(path, layout)
        self._schema = Schema.from_arrow(layout.schema)
        self.files: dict[str, DataFile] = {}
        self.rows = 0
        self._batches: dict[str, int | None] = {}
        self._load_files()

    @property
    def keyed(self) -> bool:
        return self.layout.keyed

    @property
    def version(self) -> int:
        return int(self._handle.version())

    def committed_batch(self, app: str) -> int | None:
        """The newest batch of `app` in the log, or None. Kept, for delta-rs takes a millisecond to say it."""
        if app not in self._batches:
            self._batches[app] = self._handle.transaction_version(app)
        return self._batches[app]

    def refresh(self) -> None:
        """Catch up with commits that others made."""
        before = self.version
        self._handle.update_incremental()
        if self.version != before:
            self._load_files()

    def try_commit(
        self,
        change: Change,
        *,
        app: str | None = None,
        batch: int = 0,
        beside: Mapping[str, int] = _NONE_BESIDE,
        note: dict[str, str],
    ) -> bool:
        """Append one version to the log, durably; False if somebody else took that version.

        app: whose batch it is; None: nobody's. beside: batches of other apps whose rows are in it too.

        The data files are flushed before the log names them; the log's file and folder before this
        returns.
        """
        self._flush_data(change.add)
        before = self.version
        batches = [Transaction(name, number) for name, number in beside.items()]
        if app is not None:
            batches.append(Transaction(app, batch))
        try:
            with durable.placed(self.path / "_delta_log"):
                self._handle.create_write_transaction(
                    [
                        *(_remove_action(file, change.data_change) for file in change.remove),
                        *(add_action(file, data_change=change.data_change) for file in change.add),
                    ],
                    "append",
                    self._schema,
                    list(self.layout.partition_by),
                    commit_properties=CommitProperties(
                        custom_metadata={**note, ACTIONS: _action_count(change, batches)},
                        max_commit_retries=0,
                        app_transactions=batches,
                    ),
                    post_commithook_properties=_AFTER_COMMIT,
                )
        except CommitFailedError:
            return False
        except DeltaError as error:  # of the checkpoint that follows a commit, which is in the log by then
            raise system_error(error, self.path / "_delta_log") from error
        self._handle.update_incremental()
        self._flush_log(before + 1, self.version)
        if self.version == before + 1:
            self._apply(change)
            self._batches |= {one.app_id: one.version for one in batches}
        else:
            self._load_files()
        return True

    def flush_newest(self) -> None:
        """Make the newest log entry durable, whoever wrote it."""
        self._flush_log(self.version, self.version)

    def _apply(self, change: Change) -> None:
        for file in change.remove:
            self.rows -= self.files.pop(file.path).rows
        for file in change.add:
            self.files[file.path] = file
            self.rows += file.rows

    def _load_files(self) -> None:
        self._batches = {}
        self.files = {file.path: file for file in _logged_files(self._handle, self.layout)}
        self.rows = sum(file.rows for file in self.files.values())

    def _flush_data(self, added: Iterable[DataFile]) -> None:
        paths = [self.path / file.path for file in added]
        durable.flush_all([*paths, *{path.parent for path in paths}, self.path])

    def _flush_log(self, first: int, last: int) -> None:
        log = self.path / "_delta_log"
        new = [log / f"{version:020d}.json" for version in range(first, last + 1)]
        checkpoints = [log / f"{version:020d}.checkpoint.parquet" for version in range(first - 1, last + 1)]
        if written := [path for path in checkpoints if path.exists()]:
            # Another writer may be between its checkpoint and the hint to it; it flushes both itself.
            new += [path for path in (*written, log / HINT) if path.exists()]
        durable.flush_all([*new, log])


def refuse_empty_commit(path: Path) -> None:
    """Raises: LakeError where a commit since the newest checkpoint is an empty file: delta-rs would read past it, and
    the commit would silently be lost.
    """
    for commit in newest_commits(path):
        if commit.stat().st_size == 0:
            raise LakeError(f"table {path}: its commit {commit.name} is empty", ASK_FSCK)


def _open_or_create(path: Path, layout: TableFormat) -> DeltaTable:
    refuse_empty_commit(path)
    try:
        if DeltaTable.is_deltatable(str(path)):
            handle = DeltaTable(str(path))
        else:
            path.mkdir(parents=True, exist_ok=True)
            handle = _create(path, layout)
    except DeltaError as error:
        raise LakeError(
            f"table {path}: its log cannot be read ({str(error).splitlines()[0]})", ASK_FSCK
        ) from error
    return _with_columns(path, handle, layout)


def _create(path: Path, layout: TableFormat) -> DeltaTable:
    configuration = {"delta.checkpointInterval": str(_CHECKPOINT_EVERY)}
    if layout.change_feed:
        configuration["delta.enableChangeDataFeed"] = "true"
    if layout.stats:
        configuration["delta.dataSkippingStatsColumns"] = ",".join(layout.stats)
    log = path / "_delta_log"
    with durable.placed(log):
        handle = DeltaTable.create(
            str(path),
            schema=Schema.from_arrow(layout.schema),
            partition_by=list(layout.partition_by),
            configuration=configuration,
            description=KEYED if layout.keyed else None,
        )
    durable.flush_all([log / f"{0:020d}.json", log, path, path.parent])
    return handle


def _with_columns(path: Path, handle: DeltaTable, layout: TableFormat) -> DeltaTable:
    """The handle, once the table has every declared column; columns that others added to it are left alone.

    Raises: LakeError where a column is there as something else.
    """
    stored = {field.name: field for field in handle.schema().fields}
    declared = Schema.from_arrow(layout.schema).fields
    differing = [
        f"{field.name}: is {stored[field.name].type}, declared {field.type}"
        for field in declared
        if field.name in stored and str(stored[field.name].type) != str(field.type)
    ]
    if differing:
        raise LakeError(
            f"table {path}: was written with another schema ({'; '.join(differing)})",
            "it was made by another version of casper_ray; use that one, or another --lake",
        )
    if missing := [field for field in declared if field.name not in stored]:
        handle.alter.add_columns(missing)
        log = path / "_delta_log"
        durable.flush_all([log / f"{handle.version():020d}.json", log])
    return handle


def live_files(handle: DeltaTable) -> pl.DataFrame:
    """The log's lines of the files that make up the handle's version, one row a file."""
    return pl.DataFrame(handle.get_add_actions(flatten=True))


def _logged_files(handle: DeltaTable, layout: TableFormat) -> Iterable[DataFile]:
    for row in live_files(handle).iter_rows(named=True):
        yield DataFile(
            path=row["path"],
            size_bytes=row["size_bytes"],
            rows=row.get("num_records") or 0,
            partition={name: _partition_text(row[f"partition.{name}"]) for name in layout.partition_by},
            lowest=_stats(row, "min.", layout),
            highest=_stats(row, "max.", layout),
            nulls=_stats(row, "null_count.", layout),
        )


def _stats(row: dict[str, Any], prefix: str, layout: TableFormat) -> dict[str, Any]:
    return {name: row[prefix + name] for name in layout.stats if row.get(prefix + name) is not None}


def _partition_text(value: Any) -> str | None:
    return None if value is None else str(value)


def _action_count(change: Change, batches: list[Transaction]) -> str:
    """How many lines follow the commit's information: files that come and go, and the batches."""
    return str(len(change.add) + len(change.remove) + len(batches))


def _remove_action(file: DataFile, data_change: bool) -> RemoveAction:
    return RemoveAction(
        file.path,
        data_change,
        time.time_ns() // 1_000_000,
        size=file.size_bytes,
        partition_values=dict(file.partition),
    )
