"""Two writers of one lake: the second is told who is first, and may go once the first is gone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from children import MEDALLION, SIM, Children, Ended, Running, wait_until
from lakes import TEN, Lake
from recompute import assert_batches_add_up, assert_tables_match

pytestmark = [pytest.mark.ray, pytest.mark.cli]

REPLAY = ("--speed", "3600", "--tick", "200ms", "--from", TEN, "--json")


@contextmanager
def replaying(children: Children, lake: Lake) -> Iterator[Running]:
    """A replay of the lake that goes on until somebody ends it."""
    with children.started(*SIM, *lake.options, *REPLAY) as running:
        wait_until(lambda: lake.is_live(running.process.pid), "the replay is live")
        yield running


def assert_refused(second: Ended, first: Running) -> None:
    assert second.code == 2
    (line,) = second.err.splitlines()
    assert line.startswith("error: ")
    assert f"held by process {first.process.pid} " in line
    assert f"kill {first.process.pid}" in line


def test_a_second_writer_is_refused_and_takes_over_when_the_first_was_killed(
    children: Children, lake: Lake
) -> None:
    with replaying(children, lake) as first:
        assert_refused(children.run(*SIM, *lake.options, "--speed", "max", "--quiet"), first)
        assert_refused(children.run(*MEDALLION, "run", *lake.options), first)
        first.signal(signal.SIGKILL)
        first.wait()
        dead = first.process.pid
    heir = children.run(*SIM, *lake.options, "--speed", "max", "--until-day", "1")
    assert heir.code == 0, heir.err
    assert f"taken over from process {dead}" in heir.out
    assert_tables_match(lake)
    assert_batches_add_up(lake)


def test_another_catalog_of_the_same_lake_is_free(children: Children, lake: Lake) -> None:
    other = Lake(lake.folder, "elsewhere")
    with replaying(children, lake) as first:
        when = ("--speed", "max", "--from", TEN, "--until-day", "1", "--seed", "7", "--json")
        ended = children.run(*SIM, *other.options, *when)
        assert ended.code == 0, ended.err
        first.signal(signal.SIGINT)
        assert first.wait().code == 130
    assert_tables_match(other)
    assert_tables_match(lake)
    assert not other.lines() & lake.lines()
