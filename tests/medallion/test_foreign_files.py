"""Files of nobody's window, in a lake that no replay ever was in: how far simulated time is, only they tell."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from small_lake import SmallLake, order

HOURS = {"a.json": 0, "b.json": 600, "c.json": 0}


def told(folder: Path, *, one_by_one: bool) -> SmallLake:
    """Orders of noon, ten hours later, and noon again."""
    lake = SmallLake.at(folder)
    for number, (name, minutes) in enumerate(HOURS.items()):
        lake.drop(name, order(number, minutes))
        if one_by_one:
            lake.run()
    lake.run()
    return lake


def test_they_are_judged_alike_at_once_and_one_by_one(tmp_path: Path) -> None:
    lakes = [told(tmp_path / str(each), one_by_one=each) for each in (False, True)]
    at_once, one_by_one = (lake.rows("all_events") for lake in lakes)
    assert [lake.orders() for lake in lakes] == [["O0", "O1"], ["O0", "O1"]]
    assert len(at_once) == len(one_by_one) == 3


def test_no_event_is_of_the_future_where_nobody_knows_the_time(tmp_path: Path) -> None:
    log = told(tmp_path, one_by_one=True).table("quality_log")
    assert log.filter(pl.col("rule") == "not_in_the_future")["failed"].sum() == 0


def test_a_refresh_judges_them_as_they_were_judged(tmp_path: Path) -> None:
    for one_by_one in (False, True):
        lake = told(tmp_path / str(one_by_one), one_by_one=one_by_one)
        before = lake.content()
        lake.runner().refresh()
        assert lake.content() == before
