"""Files that are either wholly there or not there, also after the power went.

A file is written under a temporary name that begins with a dot, flushed to the device, renamed, and its
folder flushed: the order in which POSIX promises that a reader sees the old file or the new one.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

_FLUSH_THREADS = 16
"""Flushes wait for the device, not for the processor: 200 small files took 1.4 s one by one, 0.1 s so."""


class Staged(NamedTuple):
    """A file that is whole and flushed, under a name that nobody reads, and the place that it is meant for."""

    temporary: Path
    path: Path

    def show(self) -> None:
        """Put it in its place. Durable once the folder is flushed."""
        try:
            self.temporary.replace(self.path)
        except BaseException:
            self.temporary.unlink(missing_ok=True)
            raise


def write_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Put `data` at `path`, atomically and durably. Retry: safe; the last writer wins.

    mode: permissions from the first moment on, less the umask.
    """
    stage_file(path, data, mode).show()
    flush_folder(path.parent)


def stage_file(path: Path, data: bytes, mode: int = 0o666) -> Staged:
    """`data` beside `path`, flushed and hidden."""
    _make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with (
            placed(path),
            open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file,
        ):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return Staged(temporary, path)


@contextmanager
def placed(path: Path) -> Iterator[None]:
    """What the operating system refuses in the block is refused at `path`, unless the error knows a place itself.

    Rules: a write that failed knows only its descriptor; delta-rs has the system's error number in its text.
    """
    try:
        yield
    except OSError as error:
        told = re.search(r"os error (\d+)", str(error))
        number = error.errno or (int(told[1]) if told else None)
        if number is None or error.filename is not None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def _make_folder(folder: Path) -> None:
    """`folder`, and durable the names of it and of the parents that had to be made."""
    missing = [folder, *folder.parents]
    missing = missing[: next(i for i, path in enumerate(missing) if path.exists())]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _flush(path.parent)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """`write_file` of a readable JSON object."""
    write_file(path, json.dumps(value, indent=1).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The object that `write_json` left, or None where there is no file."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: expected a JSON object")
    return value


def flush_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    _flush(folder)


def flush_all(paths: Iterable[Path]) -> None:
    """Make files and folders durable, many at a time.

    A share for each thread, not a job for each file: handing over small jobs took longer than the flushes.
    """
    waiting = list(paths)
    with Flushes() as flushes:
        for number in range(min(_FLUSH_THREADS, len(waiting))):
            flushes.begin(*waiting[number::_FLUSH_THREADS])


@cache
def _flushing() -> ThreadPoolExecutor:
    """The process's threads that flush: kept, for making them takes longer than a flush."""
    return ThreadPoolExecutor(_FLUSH_THREADS, thread_name_prefix="flush")


class Flushes:
    """Flushes that go on while the block does something else; all of them are done where it ends.

    Raises there: the OSError of the first that failed.
    """

    def __init__(self) -> None:
        self._begun: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wait(self._begun)
        if error is None:
            for flush in self._begun:
                flush.result()

    def begin(self, *paths: Path) -> None:
        """Begin to make files or folders durable, one after the other."""
        self._begun.append(_flushing().submit(_flush, *paths))


def _flush(*paths: Path) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
