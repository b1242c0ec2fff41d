"""The first minute: help that answers at once, and the commands that the README begins with."""

from __future__ import annotations

import os
import re
import shlex
import statistics
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from children import CASPER, SIM, Children

pytestmark = pytest.mark.cli

HELP_S = 0.5
BUSY_MACHINE = 2
HEAVY = {"ray", "polars", "pyarrow", "deltalake", "numpy", "scipy", "datasketches", "pandas"}
HEAVY |= {"altair", "jinja2", "vl_convert"}
CASPER_MODULE = (sys.executable, "-c", "from casper_ray.cli import main; main()")
README = Path(__file__).parents[2] / "README.md"
_OWN_EVENTS = re.compile(r"^(V=\.casper.*?)^```", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(?:bash|sh|console|shell)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("command", [SIM, CASPER], ids=["sim", "casper"])
def test_help_answers_within_half_a_second(lone_children: Children, command: tuple[str, ...]) -> None:
    took_s = []
    for _ in range(5):
        started_s = time.perf_counter()
        ended = lone_children.run(*command, "--help")
        took_s.append(time.perf_counter() - started_s)
        assert ended.code == 0
        assert "Usage" in ended.out
    assert statistics.median(took_s) <= HELP_S * BUSY_MACHINE, took_s


@pytest.mark.parametrize("command", [SIM, CASPER_MODULE], ids=["sim", "casper"])
def test_help_imports_nothing_heavy(lone_children: Children, command: tuple[str, ...]) -> None:
    python, *rest = command
    ended = lone_children.run(python, "-X", "importtime", *rest, "--help")
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ended.err.splitlines()}
    assert "typer" in imported
    assert not imported & HEAVY


@pytest.mark.parametrize("command", ["replay", "medallion", "lake", "quality"])
def test_help_of_each_command_answers(lone_children: Children, command: str) -> None:
    ended = lone_children.run(*CASPER, command, "--help")
    assert ended.code == 0
    assert "Usage" in ended.out


def test_the_command_of_the_readme_runs_on_a_ray_of_its_own(lone_children: Children, tmp_path: Path) -> None:
    """70 days are caught up with first, so this is also the one run of a whole dataset's size. Then its events of
    one's own count.
    """
    ended = lone_children.run(*SIM, "--speed", "3600", "--for", "3s", cwd=tmp_path, timeout_s=300)
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    assert "Ended: 3 s were asked for" in ended.out
    lakeflow = tmp_path / ".casper" / "lake" / "caspers" / "lakeflow"
    assert (lakeflow / "all_events").is_dir()
    (block,) = _OWN_EVENTS.findall(README.read_text())
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    own = lone_children.run("bash", "-ec", block, cwd=tmp_path, env={"PATH": path})
    assert own.code == 0, own.err
    assert "not an event" in own.out
    assert "MINE01" in pl.read_delta(str(lakeflow / "gold_order_header"))["order_id"]
    shown = lone_children.run(*CASPER, "lake", "show", "gold_brand_sales_day", cwd=tmp_path)
    assert shown.code == 0, shown.err
    assert "brand_revenue" in shown.out


@pytest.mark.slow
def test_the_commands_of_the_readme_run(lone_children: Children, tmp_path: Path) -> None:
    commands = _commands()
    assert commands, "the README's first screen has no command of ours"
    for words in commands:
        ended = lone_children.run(*words, cwd=tmp_path, timeout_s=300)
        assert ended.code == 0, (words, ended.err)


def _commands() -> list[list[str]]:
    """Commands of ours in the fenced blocks of the README's first screen, each made to end soon."""
    if not README.is_file():
        pytest.skip("there is no README.md yet")
    first_screen = "\n".join(README.read_text().splitlines()[:60])
    lines = [line for block in _BLOCK.findall(first_screen + "\n```") for line in block.splitlines()]
    return [words for line in lines if (words := _runnable(line.removeprefix("$ ")))]


def _runnable(line: str) -> list[str]:
    """The line as a command to run here; empty if it is none of ours."""
    words = shlex.split(line, comments=True)
    if words[:2] == ["python", "-m"] and words[2].startswith("casper_ray"):
        words = [sys.executable, *words[1:]]
    elif words[:1] == ["casper"]:
        words = [*CASPER, *words[1:]]
    else:
        return []
    if "casper_ray.sim" not in words and words[1:2] != ["sim"]:
        return words
    kept = [w for i, w in enumerate(words) if w != "--for" and words[i - 1 : i] != ["--for"]]
    return [*kept, "--for", "2s"]
