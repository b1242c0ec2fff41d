"""`casper serve` with what it cannot use: exit code 2 and one line, or one JSON object, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from children import CASPER, Children
from growing_lake import GrowingLake

pytestmark = pytest.mark.cli
CHILDREN = Children(ray_address=None)


def test_target_that_is_not_there_is_told_in_one_line() -> None:
    ended = CHILDREN.run(*CASPER, "serve", "-t", "nowhere")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: target 'nowhere': there is none. Hint: targets are [")
    assert ended.err.count("\n") == 1


def test_ray_that_is_not_there_is_told_as_json(served_lake: GrowingLake) -> None:
    ended = CHILDREN.run(
        *CASPER,
        "serve",
        "--lake",
        str(served_lake.catalog.lake),
        "--json",
        env={"RAY_ADDRESS": "127.0.0.1:1"},
    )
    assert ended.code == 2
    assert "no Ray answers at 127.0.0.1:1" in ended.summary["error"]["message"]


@pytest.mark.parametrize("option", [("--for", "soon"), ("--port", "0"), ("--port", "70000")])
def test_option_that_means_nothing_is_told(option: tuple[str, str]) -> None:
    ended = CHILDREN.run(*CASPER, "serve", *option)
    assert ended.code == 2
    assert ended.err.startswith(f"error: {option[0]}")


def test_lake_that_is_not_served_has_a_status_and_nothing_to_stop(served_lake: GrowingLake) -> None:
    lake = ("--lake", str(served_lake.catalog.lake))
    assert CHILDREN.run(*CASPER, "serve", "status", *lake, "--json").summary == {"running": False}
    ended = CHILDREN.run(*CASPER, "serve", "stop", *lake)
    assert ended.code == 2
    assert "nothing is served from there" in ended.err


def test_status_of_a_lake_that_is_not_there_is_refused(tmp_path: Path) -> None:
    ended = CHILDREN.run(*CASPER, "serve", "status", "--lake", str(tmp_path / "none"))
    assert ended.code == 2
    assert "has no catalog" in ended.err
