"""A start that runs, as its lake remembers it in `_casper/serve.json`: for `status` and `stop`. No secrets."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

from casper_ray import durable
from casper_ray.errors import CasperError, ConfigError, LakeError
from casper_ray.lakehouse.lease import held_lease
from casper_ray.lakehouse.names import existing_catalog
from casper_ray.serve.settings import ServeSettings
from casper_ray.serve.target import Target

_LOOK_EVERY_S: Final = 0.1
_SAME_S: Final = 1.0


class Running(NamedTuple):
    """Who serves. born_s: of the process, Unix time: a process id alone comes again. since: ISO 8601.

    socket: where it tells what it does. config: digits of the configuration. ready: whether it answered by now.
    """

    pid: int
    born_s: float
    since: str
    target: str
    url: str
    socket: str
    config: str
    ready: bool = False

    @property
    def lives(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born_s) < _SAME_S
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def state_file(settings: ServeSettings) -> Path:
    """In the first catalog. Raises: ConfigError, LakeError."""
    if not settings.catalogs:
        raise ConfigError("catalogs: none is named", "name one, such as `kitchen: caspers`")
    first = next(iter(settings.catalogs.values()))
    return existing_catalog(settings.lake, first).state / "serve.json"


def this_start(target: Target, socket: Path) -> Running:
    """This process, which is about to serve. socket: where it answers who asks what it does."""
    return Running(
        pid=os.getpid(),
        born_s=psutil.Process().create_time(),
        since=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        target=target.where,
        url=target.url,
        socket=str(socket),
        config=target.digest,
    )


@contextmanager
def only_start(file: Path) -> Iterator[None]:
    """The only start on a lake's catalog for the block's time; what `write_running` wrote goes with it.

    Raises: LeaseHeldError, naming the process that serves.
    """
    with held_lease(file.with_suffix(".lease"), f"casper serve on {file.parent.parent}"):
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def write_running(file: Path, running: Running) -> None:
    durable.write_json(file, running._asdict())


def read_running(file: Path) -> Running | None:
    """The start that lives; None: there is none, or it died and could not say so."""
    found: dict[str, Any] | None = durable.read_json(file)
    running = Running(**found) if found else None
    return running if running and running.lives else None


def stop_running(file: Path, *, within_s: float) -> Running:
    """End the start that lives as Ctrl-C ends it, and wait until it is gone.

    Raises: LakeError where none lives; CasperError where it does not end in time: it goes on ending.
    """
    running = read_running(file)
    if running is None:
        raise LakeError(f"{file.parent.parent}: nothing is served from there", "`casper serve` starts it")
    os.kill(running.pid, signal.SIGTERM)
    until_s = time.monotonic() + within_s
    while running.lives:
        if time.monotonic() > until_s:
            raise CasperError(f"process {running.pid}: does not end within {within_s:g} s; `kill -9` ends it")
        time.sleep(_LOOK_EVERY_S)
    return running
