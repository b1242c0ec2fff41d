"""Vacuum removes what nobody needs, by the commits, whatever checkpoints have forgotten."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import DataFile
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.lakehouse.read import scan
from casper_ray.lakehouse.vacuum import vacuum

Open = Callable[[], OpenTable]
Write = Callable[..., DataFile]
DAY_S = 86_400


@pytest.fixture
def replaced(open_table: Open, data_file: Write) -> OpenTable:
    """A table of one file that ten batches replaced, ten days ago; its files are forty days old."""
    table = open_table()
    for batch in range(1, 11):
        change = Change(add=(data_file(f"{batch:02d}", [batch]),), remove=tuple(table.files.values()))
        commit_once(table, app="a", batch=batch, change=lambda _, c=change: c)
    for path in table.path.rglob("*.parquet"):
        set_age(path, 40)
    for path in (table.path / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in path.read_text().splitlines()]
        for action in actions:
            if "commitInfo" in action:
                action["commitInfo"]["timestamp"] = int(1000 * (time.time() - 10 * DAY_S))
            if "remove" in action:
                action["remove"]["deletionTimestamp"] = int(1000 * (time.time() - 10 * DAY_S))
        path.write_text("\n".join(map(json.dumps, actions)))
        set_age(path, 10)
    DeltaTable(str(table.path)).create_checkpoint()  # which keeps no tombstone that is older than a week
    return open_table()


def set_age(path: Path, days: float) -> None:
    os.utime(path, (time.time() - DAY_S * days,) * 2)


def test_a_retention_longer_than_that_of_tombstones_is_kept(replaced: OpenTable) -> None:
    assert vacuum(replaced, timedelta(days=30)) == []
    assert [scan(replaced.path, version=v).collect()["id"].to_list() for v in (1, 9, 10)] == [[1], [9], [10]]


def test_what_was_replaced_before_the_retention_goes(replaced: OpenTable) -> None:
    assert len(vacuum(replaced, timedelta(days=9), dry_run=True)) == 9
    assert len(vacuum(replaced, timedelta(days=9))) == 9
    assert scan(replaced.path).collect()["id"].to_list() == [10]
    assert replaced.version == 10, "the log is not touched"


def test_a_retention_is_not_rounded_down(replaced: OpenTable) -> None:
    for path in replaced.path.rglob("*.parquet"):
        set_age(path, 1.4 / 24)
    assert vacuum(replaced, timedelta(hours=1.5)) == []


def test_where_a_commit_is_missing_all_that_any_version_names_stays(
    replaced: OpenTable, data_file: Write
) -> None:
    (replaced.path / "_delta_log" / f"{5:020d}.json").unlink()
    stray = data_file("stray", [99])
    set_age(replaced.path / stray.path, 40)
    assert vacuum(replaced, timedelta(days=30)) == [stray.path]


def test_other_programs_hidden_files_are_left_alone(replaced: OpenTable) -> None:
    for name in ("_change_data/a.parquet", ".b.parquet", "day=2024-01-01/.c.parquet"):
        (replaced.path / name).parent.mkdir(exist_ok=True)
        (replaced.path / name).touch()
        set_age(replaced.path / name, 40)
    assert vacuum(replaced, timedelta(days=30)) == []
