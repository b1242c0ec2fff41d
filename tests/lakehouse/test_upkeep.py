"""Upkeep puts files together and removes what nobody needs; no row and no reader is the worse for it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from casper_ray.lakehouse import upkeep
from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import DataFile, file_digest, named_digest
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.lakehouse.read import scan
from casper_ray.lakehouse.upkeep import Upkeep, compact, shorten_log
from casper_ray.lakehouse.vacuum import vacuum

Open = Callable[[], OpenTable]
Write = Callable[..., DataFile]
NOW = timedelta(0)


def fill(table: OpenTable, write: Write, batches: int, day: date = date(2024, 1, 1)) -> None:
    first = (table.committed_batch("a") or 0) + 1
    for batch in range(first, first + batches):
        change = Change(add=(write(f"{batch:04d}", [batch], day),))
        assert commit_once(table, app="a", batch=batch, change=lambda _, c=change: c)


def ids(table: OpenTable) -> list[int]:
    return sorted(scan(table.path).select("id").collect().to_series().to_list())


def age(folder: Path, hours: float) -> None:
    """Make every file older."""
    then = time.time() - 3600 * hours
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def test_small_files_become_one_a_partition_and_no_row_changes(open_table: Open, data_file: Write) -> None:
    table = open_table()
    fill(table, data_file, 20)
    fill(table, data_file, 3, date(2024, 1, 2))
    before = ids(table)
    assert compact(table) == 20
    assert (len(table.files), table.rows, ids(table)) == (1 + 3, 23, before)
    fresh = open_table()
    assert (fresh.files, fresh.rows) == (table.files, table.rows)
    (made,) = [file for file in table.files.values() if "compact" in file.path]
    assert named_digest(made.path) == file_digest(table.path / made.path)
    assert (made.lowest, made.highest, made.rows) == ({"id": 1}, {"id": 20}, 20)


def test_a_compaction_is_no_change_of_data_and_counts_no_batch(open_table: Open, data_file: Write) -> None:
    table = open_table()
    fill(table, data_file, 16)
    compact(table)
    assert table.committed_batch("a") == 16
    (entry, *_) = DeltaTable(str(table.path)).history(1)
    assert entry["upkeep"] == "compact"
    assert ids(open_table()) == list(range(1, 17))
    fill(table, data_file, 1)
    assert ids(table) == list(range(1, 18))


def test_much_is_put_together_in_files_and_calls_of_bounded_size(
    open_table: Open, data_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = open_table()
    fill(table, data_file, 40)
    one = max(file.size_bytes for file in table.files.values())
    monkeypatch.setattr(upkeep, "_TARGET_BYTES", 4 * one)
    monkeypatch.setattr(upkeep, "_CALL_BYTES", 7 * one)
    before = len(table.files)
    assert 4 < compact(table) <= 12
    while compact(table):
        assert len(table.files) < before
        before = len(table.files)
    assert before < 16
    assert ids(table) == list(range(1, 41))


def test_upkeep_takes_the_tombstones_of_keyed_tables_and_leaves_their_files(
    open_table: Open, data_file: Write
) -> None:
    table = open_table()
    fill(table, data_file, 300)
    keyed = OpenTable(table.path, replace(table.layout, keyed=True))
    gone = tuple(keyed.files.values())[:280]
    commit_once(keyed, app="a", batch=301, change=lambda _: Change(remove=gone))
    DeltaTable(str(keyed.path)).create_checkpoint()
    assert Upkeep([keyed], every=1).after(302) == 0
    assert len(keyed.files) == 20
    assert (
        pl.read_parquet(max((keyed.path / "_delta_log").glob("*.checkpoint.parquet")))["remove"]
        .is_null()
        .all()
    )


def test_few_files_are_left_alone(open_table: Open, data_file: Write) -> None:
    table = open_table()
    fill(table, data_file, 15)
    version = table.version
    assert compact(table) == 0
    assert table.version == version


def test_a_writer_that_goes_on_loses_and_doubles_nothing(open_table: Open, data_file: Write) -> None:
    writer = open_table()
    fill(writer, data_file, 16)
    done = threading.Event()

    def keep_up() -> None:
        other = open_table()
        while not done.is_set():
            other.refresh()
            compact(other)

    thread = threading.Thread(target=keep_up)
    thread.start()
    try:
        for _ in range(40):
            fill(writer, data_file, 1)
    finally:
        done.set()
        thread.join()
    assert ids(writer) == list(range(1, 57))
    assert open_table().rows == 56


def test_upkeep_is_due_every_so_many_batches(open_table: Open, data_file: Write) -> None:
    table = open_table()
    fill(table, data_file, 16)
    due = Upkeep([table], every=64)
    assert due.after(63) == 0
    assert due.after(64) == 16
    assert due.after(128) == 0


def test_vacuum_keeps_what_the_retention_needs(open_table: Open, data_file: Write) -> None:
    table = open_table()
    fill(table, data_file, 16)
    compact(table)
    stray = data_file("never-committed", [99])
    assert vacuum(table, timedelta(hours=2)) == []
    assert scan(table.path, version=16).collect().height == 16
    age(table.path, 3)
    gone = vacuum(table, timedelta(hours=2), dry_run=True)
    assert [Path(path).name for path in gone] == [Path(stray.path).name], "the replaced ones went just now"
    assert (table.path / stray.path).exists()


def test_without_retention_what_the_newest_version_has_is_all_that_stays(
    open_table: Open, data_file: Write
) -> None:
    table = open_table()
    fill(table, data_file, 16)
    compact(table)
    data_file("never-committed", [99])
    vacuum(table, NOW)
    left = sorted(str(path.relative_to(table.path)) for path in table.path.rglob("day=*/*.parquet"))
    assert left == sorted(table.files)
    assert ids(table) == list(range(1, 17))


def test_a_log_is_shortened_to_the_newest_checkpoint_that_is_old_enough(
    open_table: Open, data_file: Write
) -> None:
    table = open_table()
    fill(table, data_file, 60)
    assert shorten_log(table, timedelta(hours=1)) == 0
    assert scan(table.path, version=3).collect().height == 3
    assert shorten_log(table, NOW) == 60 + 2, "all before the checkpoint of the newest version"
    assert ids(open_table()) == list(range(1, 61))
    fill(open_table(), data_file, 2)
    assert open_table().rows == 62


@pytest.mark.parametrize("columns", [True, False])
def test_files_from_before_a_column_was_added_are_put_together_too(
    open_table: Open, data_file: Write, columns: bool
) -> None:
    table = open_table()
    fill(table, data_file, 16)
    if columns:
        from deltalake import Field
        from deltalake.schema import PrimitiveType

        DeltaTable(str(table.path)).alter.add_columns([Field("note", PrimitiveType("string"))])
        table.refresh()
    assert compact(table) == 16
    assert ids(table) == list(range(1, 17))
