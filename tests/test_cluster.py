"""Ray that does not come up is told in a line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import ray

from casper_ray import cluster
from casper_ray.config import Environment
from casper_ray.errors import RetryLater

ALONE = Environment(ray_address=None, cpus=2)


def _refuses_with(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's start as it fails: half a minute of a starved machine is not to be had in a test."""

    def init(**_: object) -> None:
        raise Exception(text)

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)


def test_a_machine_too_busy_for_ray_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    _refuses_with("The current node timed out during startup. This could happen because …", monkeypatch)
    with pytest.raises(RetryLater, match="too much to do; retry in 60 s"):
        cluster.start_ray(ALONE)


def test_what_else_keeps_ray_down_is_a_bug_and_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    _refuses_with("something else", monkeypatch)
    with pytest.raises(Exception, match="something else") as raised:
        cluster.start_ray(ALONE)
    assert type(raised.value) is Exception


@pytest.mark.parametrize(("given", "threads"), [({}, 1), ({"POLARS_MAX_THREADS": "2"}, 2)])
def test_one_thread_for_polars_unless_something_else_was_said(given: dict[str, str], threads: int) -> None:
    code = "from casper_ray.cluster import one_thread; one_thread(); import polars; print(polars.thread_pool_size())"
    environment = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment | given, capture_output=True, text=True, check=True
    ).stdout
    assert int(told) == threads
