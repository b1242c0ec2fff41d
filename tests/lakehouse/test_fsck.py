"""Each way in which a table can be broken on disk is found, and its own files are mended as far as they can be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from casper_ray.errors import LakeError
from casper_ray.lakehouse.changes import CHANGE, changes
from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import DataFile
from casper_ray.lakehouse.fsck import Finding, table_findings
from casper_ray.lakehouse.log import LogFiles
from casper_ray.lakehouse.mend import Mender
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable, TableFormat
from casper_ray.lakehouse.read import scan
from casper_ray.lakehouse.restore import restore

Open = Callable[[], OpenTable]
Write = Callable[..., DataFile]


@pytest.fixture
def table(open_table: Open, data_file: Write) -> Path:
    """A table of 30 versions, with a checkpoint at 25."""
    opened = open_table()
    for batch in range(1, 31):
        change = Change(add=(data_file(f"{batch:04d}", [batch]),))
        assert commit_once(opened, app="a", batch=batch, change=lambda _, c=change: c)
    return opened.path


def found_in(table: Path, *, deep: bool = True) -> list[Finding]:
    return table_findings("s.t", table, deep=deep)


def commit(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020d}.json"


def test_a_sound_table_has_nothing_amiss(table: Path) -> None:
    assert found_in(table) == []


@pytest.mark.parametrize(("version", "data"), [(30, b""), (30, b'{"add": {"pa'), (28, b"not a log")])
def test_a_broken_commit_is_found_and_the_log_cut_before_it(table: Path, version: int, data: bytes) -> None:
    commit(table, version).write_bytes(data)
    (finding,) = found_in(table)
    assert (finding.mend, finding.grave) == ("cut the log", True)
    assert f"commit {version}" in finding.what
    mender = Mender(table, table.parent / "aside")
    mender.mend([finding])
    assert mender.whole()
    assert scan(table).collect().height == version - 1
    aside = sorted(path.name for path in (table.parent / "aside").rglob("*.json"))
    assert aside == [commit(table, gone).name for gone in range(version, 31)], "nothing is deleted"


def test_a_broken_commit_that_a_checkpoint_covers_costs_no_row(table: Path) -> None:
    commit(table, 7).write_bytes(b"{")
    Mender(table, table.parent / "aside").mend(found_in(table))
    assert found_in(table) == []
    assert scan(table).collect().height == 30


@pytest.mark.parametrize("lines", [1, 2])
def test_a_commit_torn_at_the_end_of_a_line_is_found(table: Path, lines: int) -> None:
    path = commit(table, 30)
    path.write_bytes(b"\n".join(path.read_bytes().splitlines()[:lines]))
    (finding,) = found_in(table)
    assert (finding.mend, finding.grave) == ("cut the log", True)
    assert f"it has {lines - 1} of its 2 actions" in finding.what


def test_an_empty_commit_under_a_sound_one_is_not_read_past(table: Path, open_table: Open) -> None:
    commit(table, 28).write_bytes(b"")
    for look in (open_table, lambda: scan(table)):
        with pytest.raises(LakeError, match=r"commit 0+28.json is empty.*casper lake fsck"):
            look()


def test_a_restore_does_not_bury_an_empty_commit(catalog: Catalog) -> None:
    table = OpenTable(catalog.table("lakeflow", "t"), TableFormat(schema=pa.schema([("id", pa.int64())])))
    assert table.try_commit(Change(), app="a", batch=1, note={})
    commit(table.path, 1).write_bytes(b"")
    with pytest.raises(LakeError, match="is empty"):
        restore(catalog, "lakeflow", "t", 0)
    assert not commit(table.path, 2).exists()


def test_a_missing_commit_is_found(table: Path) -> None:
    commit(table, 28).unlink()
    (finding,) = found_in(table)
    assert "commits 28 to 28 are missing" in finding.what


def test_a_truncated_checkpoint_is_set_aside_and_the_log_read_instead(table: Path) -> None:
    (path,) = LogFiles.of(table).checkpoints.values()
    path.write_bytes(path.read_bytes()[:200])
    (finding,) = found_in(table)
    assert (finding.mend, finding.where) == ("set aside", f"_delta_log/{path.name}")
    Mender(table, table.parent / "aside").mend([finding])
    assert found_in(table) == []
    assert scan(table).collect().height == 30


@pytest.mark.parametrize("text", ['{"version": 99, "size": 1}', "no hint at all"])
def test_a_hint_that_leads_nowhere_is_set_aside(table: Path, text: str) -> None:
    LogFiles.of(table).hint.write_text(text)
    (finding,) = found_in(table)
    assert (finding.mend, finding.where) == ("set aside", "_delta_log/_last_checkpoint")
    Mender(table, table.parent / "aside").mend([finding])
    assert found_in(table) == []
    assert scan(table).collect().height == 30


@pytest.mark.parametrize(
    ("damage", "told", "deep"),
    [
        (lambda path: path.unlink(), "is missing", False),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "the log says", False),
        (lambda path: path.write_bytes(path.read_bytes()[:-4] + b"????"), "cannot be read", False),
        (lambda path: path.write_bytes(b"PAR1?" + path.read_bytes()[5:]), "its bytes are not those", True),
    ],
    ids=["missing", "short", "no footer", "a flipped byte"],
)
def test_a_damaged_data_file_is_found(
    table: Path, damage: Callable[[Path], object], told: str, deep: bool
) -> None:
    path = sorted(table.rglob("day=*/*.parquet"))[5]
    damage(path)
    (finding,) = found_in(table, deep=deep)
    assert told in finding.what
    assert (finding.where, finding.mend) == (str(path.relative_to(table)), "rebuild")


def test_files_that_no_version_names_are_found_and_removed(table: Path, data_file: Write) -> None:
    stray = data_file("stray", [9])
    half = table / "day=2024-01-01" / ".half.parquet.1f.part"
    half.write_bytes(b"half")
    found = found_in(table)
    assert {finding.where for finding in found} == {stray.path, str(half.relative_to(table))}
    assert not any(finding.grave for finding in found)
    Mender(table, table.parent / "aside").mend(found)
    assert found_in(table) == []
    assert scan(table).collect().height == 30
    aside = {path.name for path in (table.parent / "aside").rglob("*") if path.is_file()}
    assert aside == {Path(stray.path).name, half.name}, "nothing is deleted"


def test_changes_between_versions_are_net(table: Path, open_table: Open, data_file: Write) -> None:
    opened = open_table()
    old = sorted(opened.files.values(), key=lambda file: file.path)[:2]
    again = data_file("again", [1, 77])
    commit_once(opened, app="a", batch=31, change=lambda _: Change(add=(again,), remove=tuple(old)))
    found = changes(table, 30, 31).select("id", CHANGE).sort("id")
    assert found.rows() == [(2, "delete"), (77, "insert")]
    assert changes(table, 31, 30).select("id", CHANGE).sort("id").rows() == [(2, "insert"), (77, "delete")]
    assert changes(table, 30, 30).is_empty()


def test_a_row_of_the_same_key_is_an_update(table: Path, open_table: Open, data_file: Write) -> None:
    opened = open_table()
    (first,) = [file for file in opened.files.values() if "/0001-" in file.path]
    other = data_file("other", [1, 88])
    commit_once(opened, app="a", batch=31, change=lambda _: Change(add=(other,), remove=(first,)))
    assert changes(table, 30, 31, keys=("day",)).select("id", CHANGE).rows() == [(88, "insert")]
    assert json.dumps(changes(table, 29, 31, keys=("id",)).select("id", CHANGE).rows()) == json.dumps(
        [(30, "insert"), (88, "insert")]
    )
