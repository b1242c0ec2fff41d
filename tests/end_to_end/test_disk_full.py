"""A disk that runs full: said in one line, nothing lost, and the run goes on once there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import SIM, Children
from lakes import MIDNIGHT, Lake
from recompute import assert_batches_add_up, assert_tables_match

pytestmark = [pytest.mark.ray, pytest.mark.cli]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_is_said_so_and_the_run_goes_on_when_there_is_room(
    children: Children, small_disk: Path
) -> None:
    lake = Lake(small_disk / "lake")
    fast = ("--speed", "max", "--quiet")
    first = children.run(*SIM, *lake.options, *fast, "--from", MIDNIGHT, "--until-day", "0.5")
    assert first.code == 0, first.err
    assert_tables_match(lake)
    full = children.run(*SIM, *lake.options, *fast, "--until-day", "4")
    assert full.code == 2, full
    told = [line for line in full.err.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert told[0].startswith("error: disk full: ")
    assert "Traceback" not in full.err
    assert all(table.height for table in map(lake.table, lake.versions()))
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    after = children.run(*SIM, *lake.options, *fast, "--until-day", "4")
    assert after.code == 0, after.err
    assert_tables_match(lake)
    assert_batches_add_up(lake)
