"""Killed at every step of the promise, and at any time: nothing is lost, nothing counts twice."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from functools import partial

import pytest
from children import SIM, Children, wait_until
from lakes import GOLD_KEYS, TEN, Lake
from recompute import assert_batches_add_up, assert_same_content, assert_tables_match

pytestmark = [pytest.mark.ray, pytest.mark.cli]

TABLES = ("all_events", "silver_order_items", *GOLD_KEYS, "batches")
STEPS = (
    "cursor.declared",
    "window.landed",
    "batch.before_data",
    "batch.after_data",
    *(f"commit.{when}:{table}" for table in TABLES for when in ("before", "after")),
    "cursor.saved",
    "cursor.after",
)
SMALL_BATCHES = ("--speed", "4000", "--tick", "200ms", "--until-day", "3", "--quiet")


def test_killed_at_every_step_no_event_is_lost_or_doubled(
    children: Children, from_ten: Lake, lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, step in enumerate(STEPS):
        kill_at(children, lake, step, hit=1 + number % 2)
    finish(children, lake)
    assert_nothing_lost_or_doubled(lake, from_ten)
    with capsys.disabled():
        print(f"\n{len(STEPS)} kills at named steps: {losses(lake, from_ten)}")


def test_killed_at_any_time_no_event_is_lost_or_doubled(
    children: Children, from_ten: Lake, lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    kill_at_random_times(children, lake, 5)
    finish(children, lake)
    assert_nothing_lost_or_doubled(lake, from_ten)
    with capsys.disabled():
        print(f"\n5 kills at random times: {losses(lake, from_ten)}")


@pytest.mark.slow
def test_killed_many_times_no_event_is_lost_or_doubled(
    children: Children, from_ten: Lake, lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    kill_at_random_times(children, lake, 25)
    finish(children, lake)
    assert_nothing_lost_or_doubled(lake, from_ten)
    with capsys.disabled():
        print(f"\n25 kills at random times: {losses(lake, from_ten)}")


def kill_at(children: Children, lake: Lake, step: str, hit: int) -> None:
    """A run that dies at the `hit`-th time it reaches `step`. A run's end is reached once only."""
    at_the_end = step in ("cursor.saved", "cursor.after")
    until = ("--for", "300ms") if at_the_end else ("--for", "60s")
    armed = {"CASPER_FAILPOINT": f"{step}@{1 if at_the_end else hit}"}
    ended = children.run(*SIM, *lake.options, *SMALL_BATCHES, *until, *begin(lake), env=armed)
    assert ended.code == -signal.SIGKILL, f"{step}: not reached, or failed before it: {ended}"


def kill_at_random_times(children: Children, lake: Lake, count: int) -> None:
    """Runs that die some time: the odd ones while they start up and recover, the others while they replay."""
    rng = random.Random(count)
    for number in range(count):
        with children.started(*SIM, *lake.options, *SMALL_BATCHES, *begin(lake)) as running:
            if number % 2 == 0:
                wait_until(partial(lake.is_live, running.process.pid), "the replay is live")
            time.sleep(rng.uniform(0, 3))
            assert running.process.poll() is None, running.wait()
            running.signal(signal.SIGKILL)
            assert running.wait().code == -signal.SIGKILL


def begin(lake: Lake) -> tuple[str, ...]:
    """Where to begin; a replay that is under way knows."""
    return () if lake.has_begun() else ("--from", TEN)


def finish(children: Children, lake: Lake) -> None:
    """A run that nobody kills, to the end of day 2."""
    ended = children.run(*SIM, *lake.options, "--speed", "max", "--until-day", "3", *begin(lake), "--json")
    assert ended.code == 0, ended.err
    assert ended.summary["sim_to"] == "2024-01-04T00:00:00Z"


def assert_nothing_lost_or_doubled(lake: Lake, uninterrupted: Lake) -> None:
    events = lake.table("all_events")
    assert events["event_id"].is_unique().all()
    assert lake.lines() == uninterrupted.lines()
    assert [f.name for f in lake.files()] != [f.name for f in uninterrupted.files()]
    assert_tables_match(lake)
    assert_batches_add_up(lake)
    assert_same_content(lake, uninterrupted)


def losses(lake: Lake, uninterrupted: Lake) -> str:
    """How many events are missing or there too often, as Bronze has them."""
    found = Counter(lake.table("all_events")["event_id"])
    wanted = Counter(uninterrupted.table("all_events")["event_id"])
    lost, doubled = (wanted - found).total(), (found - wanted).total()
    batches = lake.table("batches").height
    return f"{found.total():,} events in {batches} batches, lost {lost}, doubled {doubled}"
