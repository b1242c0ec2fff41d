"""What a person may get wrong: exit code 2, one line that says what and what to do, nothing half-written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from children import MEDALLION, SIM, Children, Ended
from lakes import MIDNIGHT, Lake

pytestmark = pytest.mark.cli

OPTIONS = {
    "an unknown scenario": (("--scenario", "kitchen_fir"), "did you mean 'kitchen_fire'?"),
    "a scenario file that is not there": (("--scenario", "none.yml"), "none.yml"),
    "speed 0": (("--speed", "0"), "--speed: saw '0'"),
    "a negative speed": (("--speed=-1",), "--speed: saw '-1'"),
    "a speed in words": (("--speed", "abc"), "--speed: saw 'abc'"),
    "speed nan": (("--speed", "nan"), "--speed: saw 'nan'"),
    "no time at all": (("--for", "0"), "--for: saw '0'"),
    "a duration in words": (("--for", "xyz"), "--for: saw 'xyz'"),
    "a tick in words": (("--tick", "abc"), "--tick: saw 'abc'"),
    "a catalog with a slash": (("--catalog", "a/b"), "'a/b'"),
    "an object store": (("--lake", "s3://x"), "s3://x"),
    "no days": (("--days", "0"), "--days: saw 0"),
    "an end before the beginning": (("--until-day=-1",), "--until-day: saw -1"),
    "an unknown trigger": (("--trigger", "foo"), "--trigger: saw 'foo'"),
    "an unknown domain": (("--domain", "shop"), "--domain: saw 'shop'"),
    "a bank that begins again": (("--domain", "bank", "--loop"), "--loop: the bank's world ends"),
    "a kitchen's scenario for a bank": (
        ("--domain", "bank", "--scenario", "kitchen_fire"),
        "'kitchen_fire': unknown",
    ),
    "an instant in words": (("--from", "noon"), "--from: saw 'noon'"),
    "a negative seed": (("--seed=-3",), "--seed: saw -3"),
}
TABLES_OF_A_RUN = ("--speed", "max", "--from", MIDNIGHT, "--until-day", "0.5", "--days", "30")


def assert_refused(ended: Ended, *says: str) -> None:
    """Exit code 2 and one line on stderr; nothing on stdout."""
    assert ended.code == 2, ended
    assert "Traceback" not in ended.err
    assert ended.out == ""
    (line,) = ended.err.splitlines()
    assert line.startswith("error: ")
    for words in says:
        assert words in line


def assert_nothing_written(lake: Lake) -> None:
    """No world, no cursor, no events and no table; the next run is a first run."""
    written = [p for p in lake.folder.rglob("*") if p.is_file() and p.stat().st_size]
    assert written == []
    assert not list(lake.folder.rglob("_delta_log"))


@pytest.fixture(scope="module")
def small(children: Children, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of half a day of 30. Not to be changed."""
    lake = Lake(tmp_path_factory.mktemp("small") / "lake")
    ended = children.run(*SIM, *lake.options, *TABLES_OF_A_RUN, "--quiet")
    assert ended.code == 0, ended.err
    return lake


@pytest.mark.parametrize(("options", "says"), OPTIONS.values(), ids=OPTIONS)
def test_an_option_that_cannot_be_used_is_refused(
    lone_children: Children, lake: Lake, options: tuple[str, ...], says: str
) -> None:
    assert_refused(lone_children.run(*SIM, *lake.options, "--quiet", *options), says)
    assert_nothing_written(lake)


def test_an_option_that_does_not_exist_is_refused(lone_children: Children, lake: Lake) -> None:
    ended = lone_children.run(*SIM, *lake.options, "--sped", "60")
    assert ended.code == 2
    assert "--sped" in ended.err
    assert "Traceback" not in ended.err
    assert_nothing_written(lake)


def test_a_scenario_with_an_unknown_key_is_refused(
    lone_children: Children, lake: Lake, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text("dayz: 3\n")
    ended = lone_children.run(*SIM, *lake.options, "--quiet", "--scenario", str(mine))
    assert_refused(ended, "mine.yml", "unknown keys ['dayz']", "'days'")
    assert_nothing_written(lake)


def test_with_json_the_refusal_is_the_one_object_on_stdout(lone_children: Children, lake: Lake) -> None:
    ended = lone_children.run(*SIM, *lake.options, "--json", "--scenario", "nowhere")
    assert ended.code == 2
    assert ended.summary["error"].keys() == {"type", "message", "hint"}
    assert ended.summary["error"]["type"] == "ConfigError"


def test_a_file_where_the_lake_should_be_is_refused(lone_children: Children, lake: Lake) -> None:
    lake.folder.write_text("mine")
    assert_refused(lone_children.run(*SIM, *lake.options, "--quiet"), str(lake.folder), "cannot be written")
    assert lake.folder.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused(lone_children: Children, lake: Lake) -> None:
    lake.folder.mkdir(mode=0o500)
    assert_refused(lone_children.run(*SIM, *lake.options, "--quiet"), "cannot be written", "--lake")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--seed", "7"), "seed is 42, asked for 7"),
        (("--scenario", "kitchen_fire"), "scenario is baseline, asked for kitchen_fire"),
        (("--days", "5"), "days is 30, asked for 5"),
        (("--anchor", "now"), "anchor is dataset, asked for now"),
        (("--from", MIDNIGHT), "--from"),
        (("--domain", "bank"), "domain is kitchen, asked for bank"),
    ],
    ids=["seed", "scenario", "days", "anchor", "from", "domain"],
)
@pytest.mark.ray
def test_a_lake_of_another_world_is_left_as_it_is(
    lone_children: Children, small: Lake, options: tuple[str, ...], says: str
) -> None:
    before = _state_files(small)
    assert_refused(lone_children.run(*SIM, *small.options, "--quiet", *options), says)
    assert _state_files(small) == before


def _state_files(lake: Lake) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in lake.state.rglob("*.json")}


@pytest.mark.ray
@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("world.json", None, "is of format 99, expected 3"),
        ("world.json", b"\x00garbage", "world.json"),
        ("world.json", b'{"format": 3}', "world.json"),
        ("replay/cursor.json", b"\x00garbage", "is not a cursor"),
        ("replay/cursor.json", b"", "is not a cursor"),
        ("replay/cursor.json", b"[]", "is not a cursor"),
        ("kitchen-batch.json", b"\x00garbage", "kitchen-batch.json"),
    ],
)
def test_a_state_file_that_cannot_be_read_is_refused(
    children: Children,
    small: Lake,
    copied: Callable[[Lake], Lake],
    name: str,
    content: bytes | None,
    says: str,
) -> None:
    lake = copied(small)
    path = lake.state / name
    stored = json.loads(path.read_bytes())
    path.write_bytes(content if content is not None else json.dumps({**stored, "format": 99}).encode())
    broken, versions = path.read_bytes(), lake.versions()
    assert_refused(children.run(*SIM, *lake.options, "--quiet", "--speed", "max", "--until-day", "1"), says)
    assert path.read_bytes() == broken
    assert lake.versions() == versions


@pytest.mark.ray
def test_a_table_without_its_log_is_refused(
    children: Children, small: Lake, copied: Callable[[Lake], Lake]
) -> None:
    lake = copied(small)
    for entry in (lake.path("gold_brand_sales_day") / "_delta_log").iterdir():
        entry.write_bytes(b"\x00garbage")
    ended = children.run(*SIM, *lake.options, "--quiet", "--speed", "max", "--until-day", "1")
    assert_refused(ended, "gold_brand_sales_day")


def test_the_pipeline_of_a_lake_that_is_not_there_is_refused(lone_children: Children, lake: Lake) -> None:
    assert_refused(lone_children.run(*MEDALLION, "run", *lake.options), "has no catalog 'caspers'")
    assert not lake.folder.exists()


@pytest.mark.parametrize("name", ["kitchn", "no_module:PIPELINE", "json:loads"])
def test_an_unknown_pipeline_is_refused(lone_children: Children, lake: Lake, name: str) -> None:
    where = ("--lake", str(lake.folder))
    assert_refused(lone_children.run(*MEDALLION, "run", "--pipeline", name, *where), name)
    assert_refused(lone_children.run(*MEDALLION, "dry-run", "--pipeline", name, *where), name)
    assert not lake.folder.exists()


@pytest.mark.ray
def test_an_unknown_table_to_refresh_is_refused(children: Children, small: Lake) -> None:
    ended = children.run(*MEDALLION, "run", *small.options, "--refresh", "gold_typo")
    assert_refused(ended, "gold_typo", "gold_brand_sales_day")


def test_a_ray_that_does_not_answer_is_refused(lone_children: Children, lake: Lake) -> None:
    nobody = {"RAY_ADDRESS": "127.0.0.1:1"}
    ended = lone_children.run(*SIM, *lake.options, "--quiet", "--from", MIDNIGHT, env=nobody)
    assert_refused(ended, "RAY_ADDRESS", "127.0.0.1:1")
