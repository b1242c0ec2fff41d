"""A batch is committed once, whoever else commits and however often it is tried."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casper_ray.errors import CommitConflictError, LakeError
from casper_ray.lakehouse.commit import commit_once, table_has
from casper_ray.lakehouse.data_file import DataFile
from casper_ray.lakehouse.open_table import Change, OpenTable, TableFormat
from casper_ray.lakehouse.read import scan

Open = Callable[[], OpenTable]
Write = Callable[..., DataFile]


def adding(*files: DataFile) -> Callable[[OpenTable], Change]:
    return lambda table: Change(add=files)


def ids_in(table: OpenTable) -> list[int]:
    return sorted(scan(table.path).select("id").collect().to_series().to_list())


def log_of(table: OpenTable, version: int) -> list[dict[str, dict[str, object]]]:
    text = (table.path / "_delta_log" / f"{version:020d}.json").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_batch_is_in_the_log_with_its_number(open_table: Open, data_file: Write) -> None:
    table, file = open_table(), data_file("a", [1])
    assert commit_once(table, app="casper/kitchen", batch=7, change=adding(file), note={"batch": "7"})
    (txn,) = [line["txn"] for line in log_of(table, 1) if "txn" in line]
    assert (txn["appId"], txn["version"]) == ("casper/kitchen", 7)
    assert [line["add"]["path"] for line in log_of(table, 1) if "add" in line] == [file.path]
    assert [line["commitInfo"]["batch"] for line in log_of(table, 1) if "commitInfo" in line] == ["7"]


def test_the_same_batch_twice_adds_no_rows(open_table: Open, data_file: Write) -> None:
    table = open_table()
    assert commit_once(table, app="a", batch=1, change=adding(data_file("a", [1, 2])))
    assert not commit_once(table, app="a", batch=1, change=adding(data_file("b", [3])))
    assert not commit_once(open_table(), app="a", batch=1, change=adding(data_file("c", [4])))
    assert (table.version, ids_in(table)) == (1, [1, 2])


def test_a_batch_before_the_newest_counts_as_committed(open_table: Open, data_file: Write) -> None:
    table = open_table()
    commit_once(table, app="a", batch=5, change=adding(data_file("a", [1])))
    assert not commit_once(table, app="a", batch=4, change=adding(data_file("b", [2])))
    assert table_has(table, "a", 5)
    assert not table_has(table, "a", 6)


def test_every_app_counts_its_own_batches(open_table: Open, data_file: Write) -> None:
    table = open_table()
    assert commit_once(table, app="a", batch=1, change=adding(data_file("a", [1])))
    assert commit_once(table, app="b", batch=1, change=adding(data_file("b", [2])))
    assert (table.committed_batch("a"), table.committed_batch("b"), table.committed_batch("c")) == (
        1,
        1,
        None,
    )
    assert ids_in(table) == [1, 2]


def test_files_that_go_are_no_longer_read(open_table: Open, data_file: Write) -> None:
    table = open_table()
    first, second, third = data_file("a", [1, 2]), data_file("b", [3]), data_file("c", [1, 2, 9])
    commit_once(table, app="a", batch=1, change=adding(first, second))
    change = Change(add=(third,), remove=(table.files[first.path],))
    commit_once(table, app="a", batch=2, change=lambda _: change)
    assert (ids_in(table), table.rows) == ([1, 2, 3, 9], 4)
    assert sorted(table.files) == [second.path, third.path]


def test_an_outside_commit_in_between_has_the_change_asked_again(open_table: Open, data_file: Write) -> None:
    table, seen, other = open_table(), [], data_file("other", [1])

    def change(looked_at: OpenTable) -> Change:
        seen.append(sorted(looked_at.files))
        if len(seen) == 1:
            commit_once(open_table(), app="compaction", batch=1, change=adding(other))
        return Change(add=(data_file("ours", [2]),))

    assert commit_once(table, app="a", batch=1, change=change)
    assert seen == [[], [other.path]]
    assert (table.version, table.rows, ids_in(table)) == (2, 2, [1, 2])


def test_an_outside_commit_of_the_same_batch_in_between_wins(open_table: Open, data_file: Write) -> None:
    table, asked = open_table(), []

    def change(looked_at: OpenTable) -> Change:
        asked.append(1)
        commit_once(open_table(), app="a", batch=1, change=adding(data_file("other", [1])))
        return Change(add=(data_file("ours", [2]),))

    assert not commit_once(table, app="a", batch=1, change=change)
    assert len(asked) == 1
    assert (table.version, table.rows, ids_in(table)) == (1, 1, [1])


def test_two_handles_racing_a_batch_make_one_commit(open_table: Open, data_file: Write) -> None:
    handles, both_looked = [open_table(), open_table()], threading.Barrier(2, timeout=10)

    def race(number: int) -> bool:
        def change(_: OpenTable) -> Change:
            both_looked.wait()
            return Change(add=(data_file("same", [1, 2]),))

        return commit_once(handles[number], app="a", batch=1, change=change)

    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(race, range(2)))
    assert sorted(won) == [False, True]
    assert [(handle.version, handle.rows) for handle in handles] == [(1, 2), (1, 2)]
    assert ids_in(handles[0]) == [1, 2]


def test_many_handles_racing_many_batches_lose_and_double_nothing(open_table: Open, data_file: Write) -> None:
    def race(app: str) -> list[bool]:
        table = open_table()
        return [
            commit_once(table, app=app[0], batch=batch, change=adding(data_file(f"{app[0]}{batch}", [batch])))
            for batch in (1, 2, 3)
        ]

    open_table()
    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(race, ["a1", "a2", "b1", "b2"]))
    assert [sum(pair) for pair in zip(won[0], won[1], strict=True)] == [1, 1, 1]
    assert [sum(pair) for pair in zip(won[2], won[3], strict=True)] == [1, 1, 1]
    assert ids_in(open_table()) == [1, 1, 2, 2, 3, 3]


def test_a_table_that_goes_on_changing_is_given_up(open_table: Open, data_file: Write) -> None:
    table, other, asked = open_table(), open_table(), []

    def change(_: OpenTable) -> Change:
        asked.append(1)
        commit_once(other, app="b", batch=len(asked), change=lambda _: Change())
        return Change()

    with pytest.raises(CommitConflictError, match="after 20 attempts") as caught:
        commit_once(table, app="a", batch=1, change=change)
    assert caught.value.attempts == len(asked) == 20
    assert other.committed_batch("a") is None


def test_a_failed_change_commits_nothing(open_table: Open, data_file: Write) -> None:
    table = open_table()

    def change(_: OpenTable) -> Change:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        commit_once(table, app="a", batch=1, change=change)
    assert (open_table().version, open_table().committed_batch("a")) == (0, None)


def test_a_data_file_that_is_not_there_is_not_committed(open_table: Open, data_file: Write) -> None:
    table, file = open_table(), data_file("a", [1])
    (table.path / file.path).unlink()
    with pytest.raises(FileNotFoundError):
        commit_once(table, app="a", batch=1, change=adding(file))
    assert open_table().version == 0


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans()), max_size=5))
def test_a_handle_knows_what_a_fresh_one_reads_from_the_log(
    turns: list[tuple[int, int, bool]],
    tmp_path_factory: pytest.TempPathFactory,
    open_table: Open,
    data_file: Write,
) -> None:
    table = open_table()
    first = (table.committed_batch("a") or 0) + 1
    for batch, (adds, removes, reopened) in enumerate(turns, first):
        files = tuple(data_file(f"{batch}-{i}", [batch, 7 * i], date(2024, 1, 1 + i)) for i in range(adds))
        gone = tuple(table.files.values())[:removes]
        commit_once(table, app="a", batch=batch, change=lambda _, f=files, g=gone: Change(add=f, remove=g))
        table = open_table() if reopened else table
    fresh = open_table()
    assert (table.version, table.rows, table.files) == (fresh.version, fresh.rows, fresh.files)
    assert fresh.rows == scan(table.path).collect().height
    assert fresh.version == first - 1 + len(turns)


def test_statistics_are_of_the_declared_columns_only(open_table: Open, data_file: Write) -> None:
    table = open_table()
    commit_once(table, app="a", batch=1, change=adding(data_file("a", [4, 2])))
    (add,) = [line["add"] for line in log_of(table, 1) if "add" in line]
    assert json.loads(str(add["stats"])) == {
        "numRecords": 2,
        "minValues": {"id": 2},
        "maxValues": {"id": 4},
        "nullCount": {"id": 0},
    }
    log = b"".join(path.read_bytes() for path in (table.path / "_delta_log").iterdir())
    assert b"Ann Person" not in log


def test_a_table_of_another_schema_is_refused(open_table: Open, tmp_path: Path) -> None:
    layout = open_table().layout
    other = TableFormat(
        schema=layout.schema.set(1, pa.field("name", pa.int32())), partition_by=layout.partition_by
    )
    with pytest.raises(LakeError, match=r"another schema \(name: is .*string.*, declared .*integer.*\)"):
        OpenTable(tmp_path / "table", other)


def test_a_column_that_is_new_is_added_and_one_that_others_added_is_left_alone(
    open_table: Open, data_file: Write, tmp_path: Path
) -> None:
    table = open_table()
    commit_once(table, app="a", batch=1, change=adding(data_file("a", [1])))
    layout = table.layout
    wider = TableFormat(
        schema=layout.schema.append(pa.field("note", pa.string())), partition_by=layout.partition_by
    )
    OpenTable(tmp_path / "table", wider)
    commit_once(table, app="a", batch=2, change=adding(data_file("b", [2])))
    rows = scan(tmp_path / "table").collect()
    assert set(rows.columns) == {"id", "name", "day", "note"}
    assert (sorted(rows["id"]), rows["note"].null_count()) == ([1, 2], 2)


def test_an_empty_newest_commit_is_refused_and_not_read_past(
    open_table: Open, data_file: Write, tmp_path: Path
) -> None:
    table = open_table()
    commit_once(table, app="a", batch=1, change=adding(data_file("a", [1])))
    (tmp_path / "table" / "_delta_log" / f"{1:020d}.json").write_bytes(b"")
    for look in (open_table, lambda: scan(tmp_path / "table")):
        with pytest.raises(LakeError, match=r"its commit 0+1.json is empty.*casper lake fsck"):
            look()


def test_a_log_that_cannot_be_read_is_refused(open_table: Open, tmp_path: Path) -> None:
    open_table()
    (tmp_path / "table" / "_delta_log" / f"{0:020d}.json").write_text("{torn")
    with pytest.raises(LakeError, match="its log cannot be read"):
        open_table()
