"""What the benchmarks share: the canonical volume, made once, and a way to run a program and read its figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bank_volume import link_first_days, write_bank_volume

from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS
from casper_ray.domain.time import US_PER_DAY, sim_micros
from casper_ray.lakehouse.names import Catalog, existing_catalog
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.landing import render_lines
from casper_ray.sim.scenario import load_scenario

PEERS = Path(__file__).parent / "peers"
Program = Callable[..., dict[str, Any]]
ENVIRONMENT = dict(os.environ)
"""As it was found: a Ray that a benchmark starts sets variables, one thread for polars among them, that would slow
the peers down.
"""


@pytest.fixture(scope="session")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The canonical 90 days (seed 42), one file a day, as any producer would have dropped them."""
    folder = tmp_path_factory.mktemp("volume")
    world = KitchenWorld.build(load_scenario("baseline"), 42)
    start = sim_micros(world.epoch)
    for day in range(world.days + 1):
        lines = render_lines(
            world.events(EVENTS, start + day * US_PER_DAY, start + (day + 1) * US_PER_DAY), EVENT_COLUMNS
        )
        if lines:
            (folder / f"day-{day:03d}.json").write_bytes(lines)
    return folder


@pytest.fixture(scope="session")
def warm_volume(volume: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of it, to warm workers with: some blocks each, for allocators grow with the first ones."""
    folder = tmp_path_factory.mktemp("warm")
    for file in sorted(volume.iterdir())[:45]:
        (folder / file.name).symlink_to(file)
    return folder


@pytest.fixture(scope="session")
def bank_volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """45 days of the default bank, a file a day and feed."""
    return write_bank_volume(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="session")
def warm_bank_volume(bank_volume: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of it, to warm workers with."""
    return link_first_days(bank_volume, tmp_path_factory.mktemp("warm-bank"), 22)


@pytest.fixture(scope="session")
def four_bank_days(bank_volume: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days of it, whose every row is compared."""
    return link_first_days(bank_volume, tmp_path_factory.mktemp("four-bank-days"), 4)


@pytest.fixture(scope="session")
def built(
    volume: Path, warm_volume: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Catalog, dict[str, Any]]:
    """The 90 days' tables, and what the pass that built them said of itself, its workers warm."""
    return build_tables(volume, warm_volume, tmp_path_factory.mktemp("built"))


def build_tables(volume: Path, warm_volume: Path, folder: Path) -> tuple[Catalog, dict[str, Any]]:
    """The same, in a folder."""
    out = folder / "lake"
    said = timed_json(
        [sys.executable, str(PEERS / "ours.py"), str(volume), str(out), "--warm", str(warm_volume), "--json"]
    )
    return existing_catalog(str(out), "caspers"), said


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Runs a program of `peers/` to its end; its last line of JSON, and `wall_s`, its whole life from outside."""

    def run(name: str, *arguments: object) -> dict[str, Any]:
        out = tmp_path / f"{name}-{time.time_ns()}"
        command = [
            sys.executable,
            str(PEERS / name),
            *map(str, arguments[:1]),
            str(out),
            *map(str, arguments[1:]),
        ]
        return timed_json(command)

    return run


def timed_json(command: list[str], **environment: str) -> dict[str, Any]:
    """The JSON of the command's last line of stdout, with `wall_s`. Raises where it fails."""
    begun = time.perf_counter()
    ended = subprocess.run(command, capture_output=True, text=True, env={**ENVIRONMENT, **environment})
    wall_s = time.perf_counter() - begun
    if ended.returncode != 0:
        raise AssertionError(f"{command} ended with {ended.returncode}:\n{ended.stderr[-3000:]}")
    return {**json.loads(ended.stdout.strip().splitlines()[-1]), "wall_s": wall_s}


def run_sim(lake: Path, *arguments: str) -> dict[str, Any]:
    """The summary of one run of the main job."""
    return timed_json(
        [sys.executable, "-m", "casper_ray.sim", "--lake", str(lake), "--json", "--quiet", *arguments]
    )
