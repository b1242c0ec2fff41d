"""Upkeep of tables: small files put together, what is old and needed by nobody removed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from casper_ray import durable
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.lakehouse.lean_checkpoint import write_lean_checkpoint
from casper_ray.lakehouse.log import LogFiles, checkpoint_fault
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.lakehouse.vacuum import RETENTION

_ATTEMPTS = 5


class _Tier(NamedTuple):
    """Files smaller than `below_bytes` are put together once a partition has so many."""

    below_bytes: int
    files: int


_TIERS = (_Tier(1 << 20, 16), _Tier(8 << 20, 32))
"""Small files become middling ones, and these large ones."""
_TARGET_BYTES = 16 << 20
"""What goes into one file. Its rows are in memory, in about ten times the bytes that they have on disk."""
_CALL_BYTES = 48 << 20
"""What is put together in one call: a pipeline waits for it."""


def compact(table: OpenTable) -> int:
    """Put small files of a table together, in one commit that changes no row; how many files went into others.

    Only for tables that are appended to: a keyed table's files are its segments. Rows keep the order of their files.
    One call does no more than a pipeline can wait for, in bounded memory; call it until there is nothing to do.
    Retry: safe, and beside a writer that goes on: where it commits first, this looks again.
    """
    for _ in range(_ATTEMPTS):
        groups = list(_first_bytes(_groups(table.files.values())))
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


def shorten_log(table: OpenTable, retention: timedelta = RETENTION) -> int:
    """Commits and checkpoints older than the retention that a newer checkpoint stands for, removed; how many.

    The versions that they made cannot be read any more. What is left: the newest checkpoint that is older than the
    retention, and all after it. A checkpoint that cannot be read stands for nothing.
    """
    write_lean_checkpoint(table, at_least=0)
    log = LogFiles.of(table.path)
    limit_s = time.time() - retention.total_seconds()
    old = [version for version, file in log.checkpoints.items() if file.stat().st_mtime <= limit_s]
    kept = next((v for v in reversed(old) if checkpoint_fault(log.checkpoints[v]) is None), None)
    if kept is None:
        return 0
    older = (*log.commits.items(), *log.checkpoints.items())
    gone = [
        file for version, file in older if version < kept
    ]  # delta-rs asks for the checkpoint's own commit
    for file in gone:
        file.unlink(missing_ok=True)
    durable.flush_folder(log.folder)
    return len(gone)


class Upkeep:
    """What keeps a pipeline's tables quick to read, between batches: cheap to ask, short to do.

    Small files are put together where a table is not keyed; checkpoints lose their tombstones. every: batches
    from one look to the next.
    """

    def __init__(self, tables: Sequence[OpenTable], *, every: int = 64) -> None:
        self._tables, self._every = tables, every

    def after(self, batch: int) -> int:
        """Do what is due after a batch; how many files were put together."""
        if batch % self._every:
            return 0
        for table in self._tables:
            write_lean_checkpoint(table)
        return sum(compact(table) for table in self._tables if not table.keyed)


def _groups(files: Iterable[DataFile]) -> Iterator[list[DataFile]]:
    by_partition: dict[tuple[tuple[str, str | None], ...], list[DataFile]] = defaultdict(list)
    for file in files:
        by_partition[tuple(file.partition.items())].append(file)
    for group in by_partition.values():
        for tier in _TIERS:
            small = [file for file in group if file.size_bytes < tier.below_bytes]
            if len(small) >= tier.files:
                yield from _filled(sorted(small, key=lambda file: Path(file.path).name))
                break


def _filled(files: list[DataFile]) -> Iterator[list[DataFile]]:
    """Stretches of the files that fill one file each, of two files at least."""
    stretch: list[DataFile] = []
    filled = 0
    for file in files:
        stretch.append(file)
        filled += file.size_bytes
        if filled >= _TARGET_BYTES:
            yield stretch
            stretch, filled = [], 0
    if len(stretch) > 1:
        yield stretch


def _first_bytes(groups: Iterable[list[DataFile]]) -> Iterator[list[DataFile]]:
    """Groups from the front, as many as one call may put together."""
    left = _CALL_BYTES
    for group in groups:
        if left <= 0:
            return
        left -= sum(file.size_bytes for file in group)
        yield group


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
