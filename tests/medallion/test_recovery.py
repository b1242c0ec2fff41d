"""A run that died in the middle of a batch: what is remembered of rows is that of the tables, no more and no less."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_lake import PIPELINE, SmallLake, minute_us, order

from casper_ray.medallion import memory
from casper_ray.medallion.admission import Seen, keys_of
from casper_ray.medallion.kitchen.pipeline import PIPELINE as KITCHEN
from casper_ray.medallion.kitchen.source import EVENTS

DYING = f"""
import sys
from casper_ray.failpoints import arm
from casper_ray.lakehouse.names import open_catalog
from casper_ray.medallion.runner import Runner, Wishes

arm(sys.argv[1])
wishes = Wishes(late_accepted=sys.argv[3] == "True")
list(Runner({PIPELINE!r}, open_catalog(sys.argv[2], "caspers"), wishes).run_available())
"""
STEPS = (
    "batch.before_data",
    "batch.after_data",
    "commit.before:all_events",
    "commit.after:all_events",
    "commit.before:batches",
)
"""In this order each is reached, though tables commit side by side: the next has not happened where the last died."""


@pytest.fixture
def lake(tmp_path: Path) -> SmallLake:
    return SmallLake.at(tmp_path / "lake")


def die_at(lake: SmallLake, step: str, late_accepted: bool) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", DYING, step, str(lake.catalog.lake), str(late_accepted)],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == -signal.SIGKILL, f"{step} was not reached: {ended.stderr[-2000:]}"


def drop_first(lake: SmallLake) -> None:
    lake.drop("a.json", order(1, 0), order(2, 400), order(2, 400))


def drop_second(lake: SmallLake) -> None:
    """Copies of the first batch's and of its own, late ones, and rows that are refused."""
    lake.drop("b.json", order(2, 400), order(3, 10), order(4, 500), order(4, 500), order(3, 10), b"torn\n")
    lake.drop("c.json", order(5, 700), order(6, 450), order(6, 450, items=[]), order(7, 800, items=[]))


@pytest.mark.cli
@pytest.mark.parametrize("late_accepted", [False, True], ids=["late counted", "late accepted"])
def test_a_batch_killed_at_any_step_counts_each_row_once(
    lake: SmallLake, tmp_path: Path, late_accepted: bool
) -> None:
    whole = SmallLake.at(tmp_path / "whole")
    for one in (lake, whole):
        drop_first(one)
        one.run()
        drop_second(one)
    (wanted,) = whole.run(late_accepted=late_accepted)
    for step in STEPS:
        die_at(lake, step, late_accepted)
    (report,) = lake.run()
    assert report.batch.reads == wanted.batch.reads, "what was written down is run, whatever is asked for now"
    assert (report.counts, report.accounts) == (wanted.counts, wanted.accounts)
    assert lake.content() == whole.content()
    assert lake.rows("quality_log") == whole.rows("quality_log")
    assert lake.versions() == whole.versions()
    assert lake.run() == []


@pytest.mark.cli
def test_a_batch_killed_after_its_last_commit_is_over(lake: SmallLake) -> None:
    drop_first(lake)
    die_at(lake, "commit.after:batches", late_accepted=False)
    before = lake.files(but="none")
    assert lake.run() == []
    assert lake.files(but="none") == before
    lake.drop("b.json", order(1, 300), order(3, 300))
    (report,) = lake.run()
    assert (report.counts.rows_out, report.counts.duplicate) == (2, 0), "e1 of minute 0 was passed by"


def test_a_new_run_remembers_what_the_old_one_did(lake: SmallLake, tmp_path: Path) -> None:
    other = SmallLake.at(tmp_path / "other")
    drop_first(lake)
    drop_first(other)
    kept = lake.runner()
    for runner in (kept, other.runner()):
        assert len(list(runner.run_available())) == 1
    drop_second(lake)
    drop_second(other)
    ((one,), (another,)) = kept.run_available(), other.run()
    assert one.counts == another.counts
    assert one.counts.duplicate == 3
    assert lake.content() == other.content()


def test_what_is_read_back_is_what_the_watermark_has_not_passed(lake: SmallLake) -> None:
    """Late rows, copies, and rows of batches that were not over are no part of it."""
    lake.drop("a.json", order(1, 0), order(2, 400), order(3, 300), order(3, 300))
    lake.drop("b.json", order(4, 100), order(5, 700), order(6, 650))
    lake.run()
    lake.drop("c.json", order(7, 690))
    lake.run()
    assert lake.runner().progress.marks_us == {EVENTS.name: minute_us(520)}
    assert remembered(lake, before_batch=3) == {"e5", "e6", "e7"}
    assert remembered(lake, before_batch=2) == {"e5", "e6"}
    assert remembered(lake, before_batch=3, since_minutes=300) == {"e2", "e3", "e5", "e6", "e7"}
    assert remembered(lake, before_batch=1) == set()


def remembered(lake: SmallLake, before_batch: int, since_minutes: int | None = None) -> set[str]:
    progress = lake.runner().progress
    found = memory.Memory(lake.catalog, KITCHEN, progress.marks_us, before_batch)
    seen = (
        found.all()[EVENTS.name]
        if since_minutes is None
        else found.since(EVENTS.name, minute_us(since_minutes))
    )
    names = lake.table("all_events")["event_id"].unique()
    by_key = dict(zip(zip(*(half.tolist() for half in keys_of(names)), strict=True), names, strict=True))
    halves = zip(seen.key.tolist(), seen.check.tolist(), strict=True)
    return {by_key[both] for both in halves}


def test_before_the_first_batch_nothing_is_remembered(lake: SmallLake) -> None:
    found = memory.Memory(lake.catalog, KITCHEN, {}, 1).all()[EVENTS.name]
    assert found.watermark_us is Seen().watermark_us is None
    assert len(found.key) == 0


def test_a_table_is_brought_forward_alike_after_the_log_table_was_made_anew(lake: SmallLake) -> None:
    lake.drop("a.json", order(1))
    lake.run()
    lake.drop("b.json", order(1), order(2))
    lake.run()
    before = lake.rows("gold_order_header")
    lake.runner().refresh("all_events")
    log = lake.catalog.table("lakeflow", "gold_order_header") / "_delta_log"
    max(log.glob("*.json")).unlink()
    runner = lake.runner(mending=True)
    (report,) = runner.bring_forward("gold_order_header")
    assert report.batch.replaces == ("gold_order_header",), "nothing remembers what was before batch 2"
    assert lake.rows("gold_order_header") == before
