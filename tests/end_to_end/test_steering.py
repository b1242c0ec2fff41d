"""`casper replay` against a replay that runs: it stands still, goes on, changes speed, and never jumps."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from children import CASPER, SIM, Children, wait_until
from lakes import TEN, Lake
from recompute import assert_batches_add_up, assert_tables_match
from stories import told_between

pytestmark = [pytest.mark.ray, pytest.mark.cli]

TICK_S = 0.2
UNCHANGED_TURNS = 6
LATE_S = 3.0
"""How long a batch may keep a loop from its next look, on a machine that is busy."""


@dataclass(frozen=True, slots=True)
class Look:
    """Where simulated time stood, and when that was read (wall seconds)."""

    at_s: float
    simulated_s: float
    status: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Steering:
    """The commands, for one lake."""

    children: Children
    lake: Lake

    def ask(self, *words: str) -> None:
        ended = self.children.run(*CASPER, "replay", *words, *self.lake.options)
        assert ended.code == 0, ended.err
        assert ended.out.startswith("asked process ")

    def status(self) -> dict[str, Any]:
        ended = self.children.run(*CASPER, "replay", "status", "--json", *self.lake.options)
        assert ended.code == 0, ended.err
        return ended.summary

    def look(self) -> Look:
        status = self.lake.status()
        at = datetime.fromisoformat(status["simulated"]).replace(tzinfo=UTC)
        return Look(time.monotonic(), at.timestamp(), status)

    def look_when(self, phase: str, speed: float) -> Look:
        wait_until(
            lambda: (s := self.lake.status())["phase"] == phase and s["speed_asked"] == speed,
            f"{phase} at {speed:g}",
        )
        return self.look()

    def look_when_what_was_due_has_landed(self) -> Look:
        """The status says "paused" as soon as the clock stands; what was due by then lands in the next turns.

        Each turn of the loop writes the status anew, so a few turns without a change mean that all is done.
        """
        path = self.lake.state / "replay" / "status.json"
        last, turns = self.look(), set[int]()
        while len(turns) < UNCHANGED_TURNS:
            now = self.look()
            turns = turns | {path.stat().st_mtime_ns} if now.simulated_s == last.simulated_s else set()
            last = now
            time.sleep(TICK_S / 2)
        return last


def assert_no_jump(earlier: Look, later: Look, speed: float) -> None:
    """Simulated time went forward, and no further than wall time and the speed explain."""
    passed_s = later.at_s - earlier.at_s
    went_s = later.simulated_s - earlier.simulated_s
    assert 0 <= went_s <= speed * (passed_s + TICK_S + LATE_S), (earlier, later)


def test_a_replay_stands_still_goes_on_and_changes_speed_without_a_jump(
    children: Children, lake: Lake
) -> None:
    steering = Steering(children, lake)
    command = (*SIM, *lake.options, "--speed", "1200", "--tick", f"{TICK_S}s", "--from", TEN, "--json")
    assert steering_is_refused(children, lake)
    with children.started(*command) as running:
        wait_until(lambda: lake.is_live(running.process.pid), "the replay is live")
        assert steering.status()["running"] is True
        steering.ask("pause")
        steering.look_when("paused", 1200)
        paused = steering.look_when_what_was_due_has_landed()
        time.sleep(1.5)
        still = steering.look()
        assert (still.simulated_s, still.status["events"]) == (paused.simulated_s, paused.status["events"])
        steering.ask("resume")
        resumed = steering.look_when("live", 1200)
        assert_no_jump(still, resumed, 1200)
        time.sleep(1)
        before = steering.look()
        assert before.simulated_s > paused.simulated_s
        steering.ask("speed", "7200")
        faster = steering.look_when("live", 7200)
        assert_no_jump(before, faster, 7200)
        time.sleep(2)
        later = steering.look()
        assert_no_jump(faster, later, 7200)
        assert later.simulated_s - faster.simulated_s > 1200 * (later.at_s - faster.at_s)
        running.signal(signal.SIGINT)
        ended = running.wait()
    assert ended.code == 130, ended.err
    assert steering.status()["running"] is False
    assert lake.lines() == told_between(ended.summary["sim_from"], ended.summary["sim_to"])
    assert_tables_match(lake)
    assert_batches_add_up(lake)


def steering_is_refused(children: Children, lake: Lake) -> bool:
    """Without a replay there is nothing to steer, and that is said in one line."""
    ended = children.run(*CASPER, "replay", "pause", *lake.options)
    return ended.code == 2 and ended.err.startswith("error: ") and len(ended.err.splitlines()) == 1
