"""A start that lives is found again by its lake, asked over its socket, and ended; one that died is not."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from casper_ray.errors import CasperError, LakeError, LeaseHeldError
from casper_ray.serve.running import (
    Running,
    only_start,
    read_running,
    stop_running,
    this_start,
    write_running,
)
from casper_ray.serve.status import status_lines, status_of
from casper_ray.serve.status_socket import answering, ask
from casper_ray.serve.target import load_target

DEPLOYMENTS = {
    "Door": {"health": "HEALTHY", "running": 1, "wanted": 1, "requests": 3, "why": ""},
    "Keeper": {"health": "UNHEALTHY", "running": 0, "wanted": 1, "requests": 0, "why": "no disk"},
}


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends when it is asked to."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[bytes]]:
    """One that does not."""
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def started(file: Path, pid: int) -> Running:
    """`serve.json` as the process `pid` would have written it."""
    born_s = psutil.Process(pid).create_time()
    running = this_start(load_target("local"), Path("/none"))._replace(pid=pid, born_s=born_s)
    write_running(file, running)
    return running


def test_start_that_lives_is_found_and_has_no_secrets(tmp_path: Path) -> None:
    file = tmp_path / "serve.json"
    target = load_target("local")
    write_running(file, this_start(target, Path("/none")))
    found = read_running(file)
    assert found is not None
    assert (found.url, found.config, found.ready) == (target.url, target.digest, False)
    assert set(json.loads(file.read_text())) == set(Running._fields)


def test_start_that_died_is_not_found(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    file = tmp_path / "serve.json"
    started(file, child.pid)
    child.kill()
    child.wait()
    assert read_running(file) is None
    with pytest.raises(LakeError, match="nothing is served from there"):
        stop_running(file, within_s=1)


def test_process_of_the_same_number_is_let_live(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    file = tmp_path / "serve.json"
    running = started(file, child.pid)
    write_running(file, running._replace(born_s=running.born_s - 60))
    with pytest.raises(LakeError, match="nothing is served"):
        stop_running(file, within_s=1)
    assert child.poll() is None


def test_start_is_ended_by_sigterm(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    file = tmp_path / "serve.json"
    running = started(file, child.pid)
    assert stop_running(file, within_s=10) == running
    assert child.wait(10) == -signal.SIGTERM


def test_start_that_does_not_end_is_told(tmp_path: Path, stubborn: subprocess.Popen[bytes]) -> None:
    file = tmp_path / "serve.json"
    started(file, stubborn.pid)
    with pytest.raises(CasperError, match=rf"process {stubborn.pid}: does not end within 0.3 s"):
        stop_running(file, within_s=0.3)


def test_one_start_a_lake(tmp_path: Path) -> None:
    file = tmp_path / "caspers" / "_casper" / "serve.json"
    with only_start(file):
        write_running(file, this_start(load_target("local"), Path("/none")))
        with pytest.raises(LeaseHeldError, match="casper serve on"), only_start(file):
            pass
        assert file.exists()
    assert not file.exists()


def test_start_tells_over_its_socket_what_it_does() -> None:
    with answering(lambda: dict(DEPLOYMENTS)) as path:
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert [ask(path), ask(path)] == [DEPLOYMENTS, DEPLOYMENTS]
    assert not path.exists()
    with pytest.raises(CasperError, match="no answer"):
        ask(path)


def test_who_asks_and_leaves_does_not_disturb_the_next() -> None:
    with answering(lambda: dict(DEPLOYMENTS)) as path:
        with socket.socket(socket.AF_UNIX) as rude:
            rude.connect(str(path))
        assert ask(path) == DEPLOYMENTS


def test_status_is_told_by_deployment() -> None:
    with answering(lambda: dict(DEPLOYMENTS)) as path:
        status = status_of(this_start(load_target("local"), path))
    assert status["running"]
    assert not status["ready"]
    lines = status_lines(status)
    assert "not ready" in lines[0]
    assert "1 of 1 running, 3 requests open" in lines[1]
    assert lines[2].endswith("no disk")


def test_status_of_nothing_says_so() -> None:
    assert status_of(None) == {"running": False}
    assert status_lines(status_of(None)) == ["nothing is served from this lake; `casper serve` starts it"]
