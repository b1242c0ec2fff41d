"""What the environment may say."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from casper_ray.config import load_environment
from casper_ray.errors import ConfigError

_REACH_TWICE = """
from casper_ray.config import load_environment
from casper_ray.failpoints import reach
load_environment()
reach("another.place")
for turn in (1, 2):
    reach("cursor.saved")
    print(turn, flush=True)
"""


def test_an_empty_environment_means_this_machine() -> None:
    environment = load_environment({})
    assert environment.ray_address is None
    assert environment.cpus >= 2


def test_an_empty_address_is_no_address() -> None:
    assert load_environment({"RAY_ADDRESS": ""}).ray_address is None


def test_address_and_processors_are_taken_as_given() -> None:
    environment = load_environment({"RAY_ADDRESS": "ray://head:10001", "CASPER_CPUS": "12"})
    assert (environment.ray_address, environment.cpus) == ("ray://head:10001", 12)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", " 4", "4 ", "²", "1e3"])
def test_processors_that_are_no_number_above_zero_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"CASPER_CPUS: saw .*, expected a whole number above 0"):
        load_environment({"CASPER_CPUS": text})


@pytest.mark.parametrize("text", ["cursor.saved@0", "cursor.saved@", "cursor.saved@x", "cursor.saved@²"])
def test_a_failpoint_with_a_bad_hit_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="CASPER_FAILPOINT: saw"):
        load_environment({"CASPER_FAILPOINT": text})


@pytest.mark.parametrize(
    ("failpoint", "turns"),
    [("cursor.saved", ""), ("cursor.saved@1", ""), ("cursor.saved@2", "1\n")],
)
def test_an_armed_failpoint_kills_the_process_at_its_hit(failpoint: str, turns: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _REACH_TWICE],
        env={"CASPER_FAILPOINT": failpoint, "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, turns)


def test_a_process_without_failpoints_goes_on() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _REACH_TWICE],
        env={"PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "1\n2\n")
