"""Upkeep of tables: small files put together, what is old and needed by nobody removed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable

from casper_ray import durable
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.lakehouse.log import LogFiles
from casper_ray.lakehouse.open_table import Change, OpenTable

RETENTION = timedelta(days=7)
"""How long what was replaced stays readable, in wall time. Longer than any reader reads, and than any job runs."""

_ATTEMPTS = 5


class _Tier(NamedTuple):
    """Files smaller than `below_bytes` are put together once a partition has so many."""

    below_bytes: int
    files: int


_TIERS = (_Tier(1 << 20, 16), _Tier(32 << 20, 32))
"""Small files become middling ones, and these large ones: each row is written anew twice at most."""


def compact(table: OpenTable) -> int:
    """Put small files of a table together, in one commit that changes no row; how many files went into others.

    Only for tables that are appended to: a keyed table's files are its segments. Rows keep the order of their files.
    Retry: safe, and beside a writer that goes on: where it commits first, this looks again.
    """
    for _ in range(_ATTEMPTS):
        groups = list(_groups(table.files.values()))
        if not groups:
            return 0
        added = tuple(_put_together(table, group) for group in groups)
        removed = tuple(file for group in groups for file in group)
        change = Change(add=added, remove=removed, data_change=False)
        if table.try_commit(change, note={"upkeep": "compact"}):
            return len(removed)
        for file in added:
            (table.path / file.path).unlink(missing_ok=True)
        table.refresh()
    return 0


def vacuum(table: OpenTable, retention: timedelta = RETENTION, *, dry_run: bool = False) -> list[str]:
    """Files that no version within the retention needs, removed; also those that no version names at all.

    Rules: a file younger than the retention stays, whoever wrote it: a batch that is under way may need it.
    """
    hours = max(0, int(retention.total_seconds() // 3600))
    handle = DeltaTable(str(table.path))
    return handle.vacuum(retention_hours=hours, dry_run=dry_run, enforce_retention_duration=False, full=True)


def shorten_log(table: OpenTable, retention: timedelta = RETENTION) -> int:
    """Commits and checkpoints older than the retention that a newer checkpoint stands for, removed; how many.

    The versions that they made cannot be read any more. What is left: the newest checkpoint that is older than the
    retention, and all after it.
    """
    DeltaTable(str(table.path)).create_checkpoint()
    log = LogFiles.of(table.path)
    limit_s = time.time() - retention.total_seconds()
    old = [version for version, file in log.checkpoints.items() if file.stat().st_mtime <= limit_s]
    if not old:
        return 0
    gone = [
        file for version, file in log.commits.items() if version < max(old)
    ]  # delta-rs asks for the last one
    gone += [file for version, file in log.checkpoints.items() if version < max(old)]
    for file in gone:
        file.unlink(missing_ok=True)
    durable.flush_folder(log.folder)
    return len(gone)


class Upkeep:
    """Compaction between batches, for a pipeline's tables that are appended to: cheap to ask, short to do.

    every: batches from one look to the next.
    """

    def __init__(self, tables: Sequence[OpenTable], *, every: int = 64) -> None:
        self._tables, self._every = tables, every

    def after(self, batch: int) -> int:
        """Do what is due after a batch; how many files were put together."""
        if batch % self._every:
            return 0
        return sum(compact(table) for table in self._tables)


def _groups(files: Iterable[DataFile]) -> Iterator[list[DataFile]]:
    by_partition: dict[tuple[tuple[str, str | None], ...], list[DataFile]] = defaultdict(list)
    for file in files:
        by_partition[tuple(file.partition.items())].append(file)
    for group in by_partition.values():
        for tier in _TIERS:
            small = [file for file in group if file.size_bytes < tier.below_bytes]
            if len(small) >= tier.files:
                yield sorted(small, key=lambda file: Path(file.path).name)
                break


def _put_together(table: OpenTable, group: list[DataFile]) -> DataFile:
    columns = [name for name in table.layout.schema.names if name not in table.layout.partition_by]
    rows = pl.concat(
        [pl.read_parquet(table.path / file.path, hive_partitioning=False) for file in group], how="diagonal"
    ).select(columns)
    folder = Path(group[0].path).parent
    name = f"compact-{table.version:08d}-{time.time_ns():x}.parquet"
    return write_data_file(
        rows.rechunk(), table.path, str(folder / name), group[0].partition, table.layout.stats
    )
