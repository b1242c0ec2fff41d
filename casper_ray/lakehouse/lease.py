"""One writer at a time for a group of tables."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

from casper_ray.durable import placed
from casper_ray.errors import LeaseHeldError
from casper_ray.lakehouse.names import Catalog

_ATTEMPTS, _PAUSE_S = 4, 0.05
"""Somebody who only looks at the lease has it for an instant: that is no reason to refuse."""
_NAMELESS_ATTEMPTS = 40
"""A holder that has only just taken the lease, or is about to give it back, has not written its name: it is waited
for, so that who is refused is told by whom."""


class Holder(NamedTuple):
    """Who holds, or last held, a lease. `since`: wall time, ISO 8601. `command`: without arguments' values."""

    pid: int
    host: str
    since: str
    command: str


class Lease(NamedTuple):
    """A lease that this process holds. `taken_from`: a holder that died without giving it back, or None."""

    path: Path
    taken_from: Holder | None


@contextmanager
def every_lease(catalog: Catalog, *certain: str) -> Iterator[None]:
    """Hold each lease that anybody ever held on the catalog, and the `certain` ones: nobody writes meanwhile.

    Raises: LeaseHeldError where a run is live.
    """
    there = {path.stem for path in catalog.state.glob("*.lease")}
    with ExitStack() as stack:
        for name in sorted(there.union(certain)):
            stack.enter_context(catalog_lease(catalog, name))
        yield


def catalog_lease(catalog: Catalog, name: str, command: str | None = None) -> AbstractContextManager[Lease]:
    """The lease of one group of a catalog's tables, such as `replay` or `kitchen-pipeline`; see `held_lease`."""
    what = f"lake {catalog.lake}, catalog {catalog.name}: {name.replace('-', ' ')}"
    return held_lease(catalog.state / f"{name}.lease", what, command)


@contextmanager
def held_lease(path: Path, what: str, command: str | None = None) -> Iterator[Lease]:
    """Hold the lease at `path` for the block's time. command: what others are told holds it; None: this process's.

    The kernel's lock on the file is the lease; what the file says is only for people. The lock ends with
    its process, however that ends, so a dead holder never has to be waited for.

    Raises: LeaseHeldError, naming the holder, if another living process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        _lock(file, what)
        previous = _written_holder(file)
        with placed(path):
            _write_holder(file, _this_process(command))
        try:
            yield Lease(path, previous)
        finally:
            file.truncate(0)


def current_holder(path: Path) -> Holder | None:
    """The living holder of the lease at `path`, or None. Takes nothing."""
    try:
        with path.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _written_holder(file)
    except FileNotFoundError:
        return None
    return None


def _lock(file: IO[str], what: str) -> None:
    for attempt in range(_NAMELESS_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt >= _ATTEMPTS and _written_holder(file) is not None:
                break
            time.sleep(_PAUSE_S)
        else:
            return
    _refuse(file, what)


def _refuse(file: IO[str], what: str) -> NoReturn:
    holder = _written_holder(file)
    if holder is None:
        raise LeaseHeldError(f"{what}: another process holds it", "try again in a moment")
    raise LeaseHeldError(
        f"{what}: held by process {holder.pid} on {holder.host} since {holder.since} ({holder.command})",
        f"wait for it, stop it with `kill {holder.pid}`, or use another --lake",
        holder.pid,
    )


def _written_holder(file: IO[str]) -> Holder | None:
    file.seek(0)
    text = file.read()
    try:
        return Holder(**json.loads(text)) if text.strip() else None
    except (ValueError, TypeError):
        return None  # a holder that died while it wrote its name; the lock itself is what counts


def _write_holder(file: IO[str], holder: Holder) -> None:
    file.seek(0)
    file.truncate()
    # Past the buffer: what a full disk refused would be refused again where the file is closed, without a place.
    os.write(file.fileno(), json.dumps(holder._asdict()).encode())


def _this_process(command: str | None) -> Holder:
    since = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Holder(os.getpid(), socket.gethostname(), since, command or _own_command())


def _own_command() -> str:
    command = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    if command == "__main__.py":
        return f"python -m casper_ray.{Path(sys.argv[0]).parent.name}"
    return command
