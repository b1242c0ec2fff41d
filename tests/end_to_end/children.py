"""Commands of the project, run as a person runs them: each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil

SIM = (sys.executable, "-m", "casper_ray.sim")
MEDALLION = (sys.executable, "-m", "casper_ray.medallion")
CASPER = (str(Path(sys.executable).with_name("casper")),)

_MARK = "CASPER_TEST_CHILD"
_NOT_INHERITED = ("RAY_", "CASPER_", "POLARS_", "OMP_", "COV_", "PYTEST_")
_LONGEST_S = 180.0


class Ended(NamedTuple):
    """A command that ended. code: negative is the signal that killed it."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """The one JSON object that is all of stdout."""
        lines = self.out.splitlines()
        assert len(lines) == 1, f"stdout of --json has {len(lines)} lines: {self.out[:2000]}\n{self.err}"
        found = json.loads(lines[0])
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A command under way, in a session and process group of its own."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    mark: str

    def wait(self, timeout_s: float = _LONGEST_S) -> Ended:
        """Its end, which has to come within `timeout_s`."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"did not end in {timeout_s:g} s; stderr: {self.err.read_text()[-4000:]}"
            ) from None
        return Ended(code, self.out.read_text(), self.err.read_text())

    def signal(self, number: signal.Signals) -> None:
        """To the process alone."""
        self.process.send_signal(number)

    def signal_group(self, number: signal.Signals) -> None:
        """To the process and all that it started, as a terminal does on Ctrl-C."""
        os.killpg(self.process.pid, number)

    def left_behind(self) -> list[str]:
        """Names of processes that are this one's, or were started by it, and still live."""
        return [p.name() for p in psutil.process_iter() if _mark_of(p) == self.mark and _lives(p)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """Starts commands. ray_address: the cluster that they join; None: each starts a Ray of its own."""

    ray_address: str | None

    def run(
        self, *command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None,
        timeout_s: float = _LONGEST_S,
    ) -> Ended:  # fmt: skip
        """The command, run to its end."""
        with self.started(*command, env=env, cwd=cwd) as running:
            return running.wait(timeout_s)

    @contextmanager
    def started(
        self, *command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Iterator[Running]:
        """The command under way; what is left of it after the block is killed."""
        mark = uuid.uuid4().hex
        with tempfile.TemporaryDirectory(prefix="casper-child-") as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            with out.open("wb") as out_file, err.open("wb") as err_file:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out_file,
                    stderr=err_file,
                    cwd=cwd,
                    env=self._environment(mark, env or {}),
                    start_new_session=True,
                )
            try:
                yield Running(process=process, out=out, err=err, mark=mark)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _environment(self, mark: str, env: Mapping[str, str]) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED)}
        return {**kept, **self._joining(), **env, _MARK: mark}

    def _joining(self) -> dict[str, str]:
        """Ray says only in the environment that a cluster of its own asks for a token. The hook: see below."""
        if self.ray_address is None:
            return {}
        return {
            "RAY_ADDRESS": self.ray_address,
            "RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "disabled"),
            "RAY_RUNTIME_ENV_HOOK": f"{__name__}.without_runtime_env",
            "PYTHONPATH": str(Path(__file__).parent),
            "CASPER_CPUS": "1",
        }


def without_runtime_env(asked: dict[str, Any] | None) -> dict[str, Any]:
    """Called by Ray in a child that joins: nothing of what it asks for, which costs seconds a child.

    It asks for environment variables that the session's workers have anyway, see `start_ray`.
    """
    return {}


def wait_until(true: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    """Look again and again until `true()`."""
    deadline_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline_s, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.02)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(_MARK)
    except (psutil.Error, OSError):
        return None


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
