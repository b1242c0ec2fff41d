"""One writer at a time, and a dead one is not waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casper_ray.errors import LeaseHeldError
from casper_ray.lakehouse.lease import current_holder, every_lease, held_lease
from casper_ray.lakehouse.names import Catalog

_HOLD = """
import sys
from pathlib import Path
from casper_ray.lakehouse.lease import held_lease
with held_lease(Path(sys.argv[1]), "lake x"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease until its stdin ends."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_holder_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "x.lease"
    with another_holder(path) as other:
        with (
            pytest.raises(
                LeaseHeldError, match=f"lake x: held by process {other.pid} on .* since 20"
            ) as caught,
            held_lease(path, "lake x"),
        ):
            pytest.fail("the lease was taken")
        assert caught.value.holder_pid == other.pid
        assert f"kill {other.pid}" in caught.value.hint


def test_a_refusal_leaves_the_holders_name_in_place(tmp_path: Path) -> None:
    path = tmp_path / "x.lease"
    with another_holder(path) as other:
        for _ in range(2):
            with pytest.raises(LeaseHeldError), held_lease(path, "lake x"):
                pytest.fail("the lease was taken")
        holder = current_holder(path)
        assert holder is not None
        assert holder.pid == other.pid


def test_a_killed_holders_lease_is_taken_over_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.lease"
    with another_holder(path) as other:
        other.kill()
        other.wait()
        assert current_holder(path) is None
        with held_lease(path, "lake x") as lease:
            assert lease.taken_from is not None
            assert lease.taken_from.pid == other.pid


def test_a_lease_that_was_given_back_is_taken_over_from_nobody(tmp_path: Path) -> None:
    path = tmp_path / "x.lease"
    with held_lease(path, "lake x") as lease:
        assert lease.taken_from is None
    with held_lease(path, "lake x") as lease:
        assert lease.taken_from is None


def test_a_run_that_failed_gives_its_lease_back(tmp_path: Path) -> None:
    path = tmp_path / "x.lease"
    with pytest.raises(RuntimeError), held_lease(path, "lake x"):
        raise RuntimeError("the run failed")
    with held_lease(path, "lake x") as lease:
        assert lease.taken_from is None


def test_the_living_holder_is_known_to_others(tmp_path: Path) -> None:
    path = tmp_path / "x.lease"
    assert current_holder(path) is None
    with held_lease(path, "lake x"):
        holder = current_holder(path)
        assert holder is not None
        assert holder.pid == os.getpid()
    assert current_holder(path) is None


def test_arguments_of_the_holders_command_are_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/bin/casper", "--token", "secret"])
    with held_lease(tmp_path / "x.lease", "lake x"):
        written = (tmp_path / "x.lease").read_text()
    assert json.loads(written)["command"] == "casper"
    assert "secret" not in written


@pytest.mark.parametrize("left", [b'{"pid": 4', b"[1]", b'{"pid": 4}', b"\n"])
def test_half_a_name_of_a_dead_holder_is_no_hindrance(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "x.lease"
    path.write_bytes(left)
    with held_lease(path, "lake x") as lease:
        assert lease.taken_from is None


def test_who_holds_every_lease_keeps_each_writer_out_and_is_kept_out_by_any(catalog: Catalog) -> None:
    replay = catalog.state / "replay.lease"
    with every_lease(catalog, "replay", "kitchen-pipeline"):
        for path in (replay, catalog.state / "kitchen-pipeline.lease"):
            with pytest.raises(LeaseHeldError), held_lease(path, "lake x"):
                pass
    with (
        held_lease(replay, "lake x"),
        pytest.raises(LeaseHeldError, match="catalog caspers: replay"),
        every_lease(catalog),
    ):
        pass
