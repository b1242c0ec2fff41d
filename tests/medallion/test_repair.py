"""A repair brings back what was lost, and loses nothing itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_lake import PIPELINE, SmallLake, order

from casper_ray.errors import LakeError
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.repair import Repair, findings
from casper_ray.medallion.runner import Runner


@pytest.fixture
def lake(tmp_path: Path) -> SmallLake:
    """Six batches of one file each."""
    lake = SmallLake.at(tmp_path / "lake")
    runner = Runner(PIPELINE, lake.catalog)
    for number in range(6):
        lake.drop(f"{number}.json", order(number, number))
        assert len(list(runner.run_available())) == 1
    return lake


def repaired(lake: SmallLake) -> list[str]:
    said: list[str] = []
    found = findings(lake.catalog, PIPELINE, [], deep=True, told=said.append)
    assert found
    assert Repair(catalog=lake.catalog, reference=PIPELINE, told=said.append).run(found, [], deep=True) == []
    return said


def lose_commits(table: Path, count: int) -> None:
    for commit in sorted((table / "_delta_log").glob("*.json"))[-count:]:
        commit.unlink()


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_batches_whose_newest_commits_are_gone_has_every_batch_again(lake: SmallLake, lost: int) -> None:
    table = lake.catalog.table("lakeflow", "batches")
    before = scan(table).sort("batch").collect()
    lose_commits(table, lost)
    said = repaired(lake)
    assert scan(table).sort("batch").collect().equals(before)
    assert [line for line in said if "put the row" in line] == [
        f"put the row of batch {number} back into batches" for number in range(7 - lost, 7)
    ]
    assert list(Runner(PIPELINE, lake.catalog).run_available()) == [], "no file is taken for new"


def test_a_run_does_not_take_the_files_of_lost_batches_for_new(lake: SmallLake) -> None:
    before = lake.table("all_events").height
    lose_commits(lake.catalog.table("lakeflow", "batches"), 2)
    with pytest.raises(LakeError, match=r"ends with batch 4, though batch 6 was begun.*casper lake fsck"):
        lake.run()
    assert lake.table("all_events").height == before


def test_lost_batches_that_nothing_brings_back_are_refused(lake: SmallLake) -> None:
    table = lake.catalog.table("lakeflow", "batches")
    lose_commits(table, 2)
    for file in table.glob("batch-00000005-*.parquet"):
        file.unlink()
    with pytest.raises(LakeError, match="ends with batch 4, though batch 6 was begun"):
        repaired(lake)
