"""A checkpoint without tombstones says the same of every live file, batch and version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import DataFile
from casper_ray.lakehouse.fsck import table_findings
from casper_ray.lakehouse.lean_checkpoint import write_lean_checkpoint
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.lakehouse.read import scan

Open = Callable[[], OpenTable]
Write = Callable[..., DataFile]


@pytest.fixture
def replace_file(data_file: Write) -> Callable[[OpenTable, int], None]:
    """Commits batches that replace all that is there."""

    def replace(table: OpenTable, batches: int) -> None:
        first = (table.committed_batch("a") or 0) + 1
        for batch in range(first, first + batches):
            change = Change(add=(data_file(f"{batch:02d}", [batch]),), remove=tuple(table.files.values()))
            commit_once(table, app="a", batch=batch, change=lambda _, c=change: c)

    return replace


def checkpoints(table: OpenTable) -> list[Path]:
    return sorted((table.path / "_delta_log").glob("*.checkpoint.parquet"))


def tombstones(table: OpenTable) -> Iterator[int]:
    for path in checkpoints(table):
        yield pl.read_parquet(path)["remove"].is_not_null().sum()


def test_tombstones_go_and_do_not_come_back(open_table: Open, replace_file: Callable[..., None]) -> None:
    table = open_table()
    replace_file(table, 30)
    assert write_lean_checkpoint(table, at_least=1) == 29
    replace_file(table, 30)
    assert list(tombstones(table)) == [23, 0, 19], "at versions 24, 30 and 49"


def test_reads_of_any_version_and_the_batch_are_as_before(
    open_table: Open, replace_file: Callable[..., None]
) -> None:
    table = open_table()
    replace_file(table, 30)
    write_lean_checkpoint(table, at_least=1)
    fresh = open_table()
    assert (fresh.version, fresh.files, fresh.committed_batch("a")) == (30, table.files, 30)
    replace_file(table, 2)
    found = [scan(table.path, version=v).collect()["id"].to_list() for v in (5, 24, 29, 30, 31, 32)]
    assert found == [[5], [24], [29], [30], [31], [32]]
    assert table_findings("t", table.path, deep=True) == []
    assert DeltaTable(str(table.path)).transaction_version("a") == 32


def test_a_checkpoint_that_is_there_is_not_replaced(
    open_table: Open, replace_file: Callable[..., None]
) -> None:
    table = open_table()
    replace_file(table, 24)
    (there,) = checkpoints(table)
    before = there.read_bytes()
    assert write_lean_checkpoint(table, at_least=1) == 23
    assert there.read_bytes() == before
    assert (table.version, scan(table.path).collect()["id"].to_list()) == (25, [24])


def test_few_tombstones_are_left(open_table: Open, replace_file: Callable[..., None]) -> None:
    table = open_table()
    replace_file(table, 30)
    assert write_lean_checkpoint(table) == 0
    assert len(checkpoints(table)) == 1
    assert not list(table.path.glob(".checkpoint-*"))
