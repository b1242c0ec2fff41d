"""Simulated time is a line over wall time that bends, and never jumps."""

from __future__ import annotations

import math
import threading
import time
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.domain.time import SimMicros
from casper_ray.sim.clock import MAX_SPEED, ReplayClock, Stretch, Ticker

START = SimMicros(1_704_067_200_000_000)


class Wall:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Turn(NamedTuple):
    """A stretch of a schedule: what is asked for, and how long the wall clock then runs."""

    asked: str
    speed: float
    runs_s: float


speeds = st.sampled_from([1.0, 60.0, 3600.0, 86_400.0]) | st.floats(0.1, 200_000)
turns = st.builds(
    Turn,
    st.sampled_from(["pause", "resume", "speed"]),
    speeds,
    st.integers(0, 5000).map(lambda ms: ms / 1000),
)


def clock_at(speed: float) -> tuple[ReplayClock, Wall]:
    wall = Wall()
    return ReplayClock(START, speed, wall), wall


def test_position_is_elapsed_time_times_speed() -> None:
    clock, wall = clock_at(60.0)
    assert clock.position_us() == START
    wall.now_s += 2.5
    assert clock.position_us() == START + 150_000_000


def test_position_is_in_whole_milliseconds() -> None:
    clock, wall = clock_at(1.0)
    wall.now_s += 0.0625 + 0.0009765625
    assert clock.position_us() == START + 63_000


def test_a_pause_stands_still_and_a_resume_goes_on_from_there() -> None:
    clock, wall = clock_at(3600.0)
    wall.now_s += 1
    clock.pause(0)
    assert clock.paused
    assert clock.speed == 3600.0
    wall.now_s += 100
    assert clock.position_us() == START + 3600 * 1_000_000
    clock.resume(0)
    assert not clock.paused
    wall.now_s += 1
    assert clock.position_us() == START + 2 * 3600 * 1_000_000


def test_a_speed_asked_for_while_paused_counts_from_the_resume() -> None:
    clock, wall = clock_at(10.0)
    clock.pause(0)
    clock.set_speed(20.0, 0)
    wall.now_s += 5
    assert clock.position_us() == START
    assert clock.speed == 20.0
    clock.resume(0)
    wall.now_s += 1
    assert clock.position_us() == START + 20 * 1_000_000


def test_a_second_pause_and_a_second_resume_change_nothing() -> None:
    clock, wall = clock_at(10.0)
    clock.resume(0)
    assert clock.stretch.speed == 10.0
    clock.pause(0)
    wall.now_s += 1
    clock.pause(0)
    clock.resume(0)
    clock.resume(0)
    wall.now_s += 1
    assert clock.position_us() == START + 10 * 1_000_000


def test_at_max_speed_everything_is_due() -> None:
    clock, wall = clock_at(MAX_SPEED)
    assert clock.position_us() == math.inf
    wall.now_s += 1
    assert clock.position_us() == math.inf
    assert clock.stretch.due_s(START + 10**15) == 1000.0


def test_max_speed_is_left_from_the_place_that_was_reached() -> None:
    clock, wall = clock_at(MAX_SPEED)
    wall.now_s += 3
    clock.set_speed(2.0, START + 7_000_000)
    wall.now_s += 1
    assert clock.position_us() == START + 9_000_000


def test_a_pause_at_max_speed_stands_at_the_place_that_was_reached() -> None:
    clock, wall = clock_at(MAX_SPEED)
    clock.pause(START + 7_000_000)
    wall.now_s += 3
    assert clock.position_us() == START + 7_000_000
    assert clock.speed == MAX_SPEED
    clock.resume(START + 7_000_000)
    assert clock.position_us() == math.inf


@given(speeds, st.lists(turns, max_size=12))
def test_under_any_schedule_time_is_the_sum_of_its_stretches(first: float, schedule: list[Turn]) -> None:
    clock, wall = clock_at(first)
    expected_us, asked, paused = float(START), first, False
    for turn in schedule:
        before = clock.position_us()
        if turn.asked == "pause":
            clock.pause(-1)
            paused = True
        elif turn.asked == "resume":
            clock.resume(-1)
            paused = False
        else:
            clock.set_speed(turn.speed, -1)
            asked = turn.speed
        assert clock.position_us() == before, "no jump where the line bends"
        assert (clock.speed, clock.paused) == (asked, paused)
        wall.now_s += turn.runs_s / 2
        assert clock.position_us() >= before, "never back"
        wall.now_s += turn.runs_s / 2
        expected_us += 0.0 if paused else turn.runs_s * asked * 1e6
    lost_us = expected_us - clock.position_us()
    assert -1000 <= lost_us <= 1000 * (len(schedule) + 1), "a millisecond a bend at the most"
    assert clock.position_us() % 1000 == 0


@given(speeds, st.integers(0, 10**9))
def test_what_is_due_at_an_instant_is_reached_at_that_instant(speed: float, ahead_ms: int) -> None:
    clock, wall = clock_at(speed)
    instant = START + 1000 * ahead_ms
    wall.now_s = clock.stretch.due_s(instant)
    # Wall seconds are floats: at this size they are exact to 1.2e-10 of the time, and far below a tick.
    assert clock.position_us() == pytest.approx(instant, abs=1000 + ahead_ms * 1e-6 + speed * 1e-3)


@given(speeds, st.floats(0, 10_000))
def test_due_is_the_inverse_of_position(speed: float, runs_s: float) -> None:
    clock, wall = clock_at(speed)
    wall.now_s += runs_s
    due_s = clock.stretch.due_s(clock.position_us())
    assert due_s <= wall.now_s + 1e-6
    assert wall.now_s - due_s <= 0.001 / speed + 1e-6


def test_due_before_the_bend_lies_on_the_line_drawn_backwards() -> None:
    assert Stretch(START, 50.0, 2.0).due_s(START - 4_000_000) == 48.0


def test_a_ticker_wakes_early_when_it_is_told_to() -> None:
    ticker, started = Ticker(30.0, threading.Event()), time.monotonic()
    ticker.wait(lambda: True)
    assert time.monotonic() - started < 5


def test_a_ticker_wakes_at_once_when_the_run_is_stopped() -> None:
    stop, looks = threading.Event(), []
    stop.set()
    ticker, started = Ticker(30.0, stop), time.monotonic()
    ticker.wait(lambda: bool(looks.append(1)))
    assert time.monotonic() - started < 5
    assert not looks


def test_a_ticker_keeps_its_beat() -> None:
    ticker, started = Ticker(0.1, threading.Event()), time.monotonic()
    for _ in range(3):
        ticker.wait(lambda: False)
    assert time.monotonic() - started >= 0.3 - 0.01


def test_beats_that_were_missed_are_not_caught_up() -> None:
    ticker = Ticker(0.05, threading.Event())
    time.sleep(0.5)
    late = time.monotonic()
    for _ in range(4):
        ticker.wait(lambda: False)
    assert time.monotonic() - late >= 0.1 - 0.01, "two waits may end at once; ten beats were missed"
