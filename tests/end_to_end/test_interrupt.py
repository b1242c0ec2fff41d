"""Ctrl-C and SIGTERM: once ends tidily, twice ends at once; either way the next run goes on."""

from __future__ import annotations

import signal
import time

import pytest
from children import SIM, Children, Ended, Running, wait_until
from lakes import TEN, Lake
from recompute import assert_batches_add_up, assert_tables_match
from stories import told_between

pytestmark = [pytest.mark.ray, pytest.mark.cli]

REPLAY = ("--speed", "600", "--tick", "200ms", "--json")


def live(lake: Lake, running: Running) -> None:
    wait_until(lambda: lake.is_live(running.process.pid), "the replay is live")


def assert_ended_tidily(ended: Ended) -> None:
    assert ended.code == 130, ended.err
    assert ended.summary["ended"].startswith("interrupted")
    assert "Traceback" not in ended.err


def assert_goes_on(children: Children, lake: Lake) -> None:
    """The next run finishes the day, and nothing is missing or double."""
    begin = () if lake.has_begun() else ("--from", TEN)
    until = ("--speed", "max", "--until-day", "1", "--json")
    ended = children.run(*SIM, *lake.options, *until, *begin)
    assert ended.code == 0, ended.err
    assert lake.lines() == told_between(f"{TEN}:00Z", "2024-01-02T00:00:00Z")
    assert_tables_match(lake)
    assert_batches_add_up(lake)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "sigterm"])
def test_one_signal_ends_a_run_with_everything_saved(
    children: Children, lake: Lake, number: signal.Signals
) -> None:
    with children.started(*SIM, *lake.options, *REPLAY, "--from", TEN) as running:
        live(lake, running)
        running.signal(number)
        ended = running.wait()
    assert_ended_tidily(ended)
    assert ended.summary["events"] == lake.lines().total() == lake.table("all_events").height > 0
    assert_tables_match(lake)
    assert_goes_on(children, lake)


def test_a_second_signal_ends_a_run_at_once_and_the_next_one_mends_it(children: Children, lake: Lake) -> None:
    with children.started(*SIM, *lake.options, *REPLAY, "--from", TEN) as running:
        live(lake, running)
        running.signal(signal.SIGINT)
        time.sleep(0.05)
        running.signal(signal.SIGINT)
        assert running.wait(5).code == -signal.SIGINT
    assert_goes_on(children, lake)


def test_a_signal_while_ray_comes_up_ends_a_run_too(children: Children, lake: Lake) -> None:
    with children.started(*SIM, *lake.options, *REPLAY, "--from", TEN) as running:
        wait_until((lake.state / "world.json").exists, "the run has begun")
        running.signal(signal.SIGINT)
        ended = running.wait()
    assert_ended_tidily(ended)
    assert_goes_on(children, lake)


def test_ctrl_c_on_a_terminal_leaves_no_process_behind(lone_children: Children, lake: Lake) -> None:
    """A terminal sends it to every process of the group, Ray's own among them."""
    with lone_children.started(*SIM, *lake.options, *REPLAY, "--from", TEN) as running:
        live(lake, running)
        assert len(running.left_behind()) > 2, "Ray's processes are not among those counted"
        running.signal_group(signal.SIGINT)
        assert_ended_tidily(running.wait())
        wait_until(lambda: not running.left_behind(), "every process of the run is gone", 15)
    assert_tables_match(lake)


def test_a_run_ended_at_once_leaves_no_process_behind(lone_children: Children, lake: Lake) -> None:
    with lone_children.started(*SIM, *lake.options, *REPLAY, "--from", TEN) as running:
        live(lake, running)
        running.signal(signal.SIGKILL)
        running.wait()
        wait_until(lambda: not running.left_behind(), "every process of the run is gone", 15)
