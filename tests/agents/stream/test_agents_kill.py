"""Killed at every step of the promise, and at any time: the same decisions, each once."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from children import Children, wait_until
from growing_lake import WINDOWS, GrowingLake
from polars.testing import assert_frame_equal

from casper_ray.agents.stream.log import DecisionLog
from casper_ray.agents.stream.runner import lease_name
from casper_ray.lakehouse.lease import catalog_lease, current_holder

pytestmark = pytest.mark.cli

Command = Callable[..., tuple[str, ...]]
STEPS = (
    "agents.before_propose",
    "agents.after_propose",
    "commit.before:decisions",
    "commit.after:decisions",
)
KILLS = 50


def test_killed_at_every_step_the_decisions_are_the_same(
    agents_children: Children, commands: Command, decided: GrowingLake, tmp_path: Path
) -> None:
    lake = GrowingLake.at(tmp_path / "lake")
    run = commands("agents", "run", "--agent", "refund", *lake.options, "--quiet")
    for number in range(WINDOWS):
        lake.grow(number)
        if number < len(STEPS):
            ended = agents_children.run(*run, env={"CASPER_FAILPOINT": STEPS[number]})
            assert ended.code == -signal.SIGKILL, (STEPS[number], ended)
    for _ in range(2):
        ended = agents_children.run(*run)
        assert ended.code == 0, ended.err
    assert_frame_equal(lake.content(), decided.content())


@pytest.mark.slow
def test_killed_fifty_times_at_random_the_decisions_are_the_same(
    agents_children: Children,
    commands: Command,
    decided: GrowingLake,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Runners that follow a lake which grows a batch whenever one is committed, and die some time: the even ones from
    their start on, the others once they have their lease and are at work.
    """
    rng = random.Random(KILLS)
    lake = GrowingLake.at(tmp_path / "lake")
    follow = commands("agents", "run", "--agent", "refund", "--follow", *lake.options, "--quiet")
    lease = lake.catalog.state / "agents-refund.lease"
    grown, committed = 0, -2
    for number in range(KILLS):
        if grown < WINDOWS and newest_version(lake) > committed:
            committed = newest_version(lake)
            lake.grow(grown)
            grown += 1
        with agents_children.started(*follow) as running:
            if number % 2:
                wait_until(partial(held_by, lease, running.process.pid), "the runner has its lease")
            time.sleep(rng.uniform(0, 0.4 if number % 2 else 2))
            assert running.process.poll() is None, running.wait()
            running.signal(signal.SIGKILL)
            assert running.wait().code == -signal.SIGKILL
    killed_at = newest_version(lake)
    for left in range(grown, WINDOWS):
        lake.grow(left)
    ended = agents_children.run(*commands("agents", "run", "--agent", "refund", *lake.options, "--quiet"))
    assert ended.code == 0, ended.err
    assert killed_at > 1
    assert_frame_equal(lake.content(), decided.content())
    with capsys.disabled():
        rows = lake.content().height
        print(f"\n{KILLS} kills at random times, {killed_at} commits meanwhile: {rows:,} decisions, the same")


def newest_version(lake: GrowingLake) -> int:
    """Of the decisions: 0 is the empty table; -1 where there is none."""
    there = (lake.catalog.table("agents", "decisions") / "_delta_log" / f"{0:020d}.json").exists()
    return lake.version() if there else -1


def held_by(lease: Path, pid: int) -> bool:
    holder = current_holder(lease)
    return holder is not None and holder.pid == pid


def test_a_second_runner_is_refused_and_another_agents_is_not(
    agents_children: Children, commands: Command, lake: GrowingLake, decided: GrowingLake
) -> None:
    lease = lake.catalog.state / "agents-refund.lease"
    command = ("agents", "run", "--agent", "refund", *lake.options)
    with agents_children.started(*commands(*command, "--follow", "--quiet")) as first:
        wait_until(lambda: current_holder(lease) is not None, "the first runner has its lease")
        second = agents_children.run(*commands(*command))
        assert second.code == 2
        assert f"held by process {first.process.pid} " in second.err
        single = agents_children.run(
            *commands(
                "agents",
                "decide",
                "--agent",
                "refund",
                "--order",
                lake.delivered()[0],
                "--commit",
                *lake.options,
            )
        )
        assert single.code == 2
        assert f"held by process {first.process.pid} " in single.err
        other = decided.decisions().head(3).with_columns(pl.lit("other").alias("agent"))
        with catalog_lease(lake.catalog, lease_name("other")):
            assert DecisionLog(lake.catalog, "other", "v").append(1, lambda ledger: other)
        first.signal(signal.SIGINT)
        assert first.wait().code == 130
    heir = agents_children.run(*commands(*command))
    assert heir.code == 0, heir.err
    assert lake.decisions().filter(pl.col("agent") == "other").height == 3
