"""Killed at every step of the promise, and at any time: the same decisions, each once."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from children import Children, wait_until
from growing_lake import WINDOWS, GrowingLake
from polars.testing import assert_frame_equal

from casper_ray.lakehouse.lease import current_holder

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
    """Runners that follow a lake which grows meanwhile, killed between their start and two seconds later."""
    rng = random.Random(KILLS)
    lake = GrowingLake.grown(tmp_path / "lake", range(1))
    follow = commands("agents", "run", "--agent", "refund", "--follow", *lake.options, "--quiet")
    grown, commits = 1, set[int]()
    for number in range(KILLS):
        with agents_children.started(*follow) as running:
            if grown < WINDOWS and number % 4 == 0:
                lake.grow(grown)
                grown += 1
            time.sleep(rng.uniform(0.2, 2.5))
            assert running.process.poll() is None, running.wait()
            running.signal(signal.SIGKILL)
            assert running.wait().code == -signal.SIGKILL
        if (lake.catalog.table("agents", "decisions") / "_delta_log").is_dir():
            commits.add(lake.version())
    ended = agents_children.run(*commands("agents", "run", "--agent", "refund", *lake.options, "--quiet"))
    assert ended.code == 0, ended.err
    assert grown == WINDOWS
    assert_frame_equal(lake.content(), decided.content())
    with capsys.disabled():
        print(
            f"\n{KILLS} kills at random times, {len(commits)} versions: {lake.content().height:,} decisions, the same"
        )


def test_a_second_runner_is_refused_and_another_agents_is_not(
    agents_children: Children, commands: Command, lake: GrowingLake
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
        first.signal(signal.SIGINT)
        assert first.wait().code == 130
    assert not list(lake.catalog.state.glob("agents-other.lease"))
    heir = agents_children.run(*commands(*command))
    assert heir.code == 0, heir.err
