"""Audit events on their way to their table: each durable in a journal at once, many of them in one commit after."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from casper_ray import durable
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import OpenTable
from casper_ray.lakehouse.upkeep import Upkeep
from casper_ray.serve.audit import AUDIT, SCHEMA, TABLE, AuditEvent, write_events

_LOG: Final = logging.getLogger(__name__)
_SUFFIX: Final = ".jsonl"


class Journal:
    """A file of events, one JSON object a line: the batch `number` of the `writer`. Locked as long as it is open."""

    def __init__(self, folder: Path, writer: str, number: int) -> None:
        """Raises: OSError."""
        self.number, self.events = number, list[AuditEvent]()
        self._path = folder / f"{writer}-{number:09d}{_SUFFIX}"
        folder.mkdir(parents=True, exist_ok=True)
        with durable.placed(self._path):
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX)
                durable.flush_folder(folder)
            except BaseException:
                os.close(self._file)
                raise

    def append(self, events: Sequence[AuditEvent]) -> None:
        """Durable when this returns. Raises: OSError; the file is then as it was, or ends with half a line."""
        before = os.fstat(self._file).st_size
        try:
            with durable.placed(self._path):
                written = memoryview(b"".join(map(_line, events)))
                while written:
                    written = written[os.write(self._file, written) :]
                os.fsync(self._file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, before)
            raise
        self.events += events

    def remove(self) -> None:
        """Its events are in the table."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)

    def close(self) -> None:
        """Leave it to whoever comes next."""
        os.close(self._file)


class AuditLog:
    """The audit events of one writer in a catalog.

    `write` and `turn` are for one thread at a time, `file` for one, which can be another. What a writer that died
    left in its journals is brought to the table where the next one begins.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._folder = catalog.state / "audit"
        self._table = OpenTable(catalog.table(SCHEMA, TABLE), AUDIT)
        self._upkeep = Upkeep([self._table])
        self._writer, self._number = secrets.token_hex(6), 0
        self._open: Journal | None = None
        self._full = deque[Journal]()
        self._owed: list[Sequence[AuditEvent]] = []
        _file_left(self._folder, self._table)

    @property
    def owes(self) -> bool:
        """Whether there are events that could not be written yet."""
        return bool(self._owed)

    @property
    def journaled(self) -> bool:
        """Whether there are events that are durable and not in the table yet."""
        return self._open is not None or bool(self._full)

    def write(self, events: Sequence[AuditEvent]) -> None:
        """Keep events, durably; first those that could not be before. What fails is owed, and written later.

        Raises: OSError.
        """
        if events:
            self._owed.append(events)
        while self._owed:
            if self._open is None:
                self._number += 1
                self._open = Journal(self._folder, self._writer, self._number)
            try:
                self._open.append(self._owed[0])
            except OSError:
                self.turn()  # its last line may be half a one
                raise
            del self._owed[0]

    def turn(self) -> None:
        """The journal is full: what comes next goes to another."""
        if self._open is not None:
            self._full.append(self._open)
            self._open = None

    def file(self) -> None:
        """Commit what full journals have, in their order. Retry: safe. Raises: OSError, CommitConflictError."""
        while self._full:
            journal = self._full[0]
            _commit(self._table, self._writer, journal.number, journal.events)
            journal.remove()
            self._full.popleft()
            self._upkeep.after(journal.number)

    def close(self) -> None:
        """File everything; what cannot be is left for the next writer."""
        self.turn()
        try:
            self.file()
        except Exception as error:
            _LOG.warning("audit events stay in %s: %s", self._folder, type(error).__name__)
            for journal in self._full:
                journal.close()


def _commit(table: OpenTable, writer: str, number: int, events: Sequence[AuditEvent]) -> None:
    if events:
        write_events(table, f"casper/serve/{writer}", number, events)


def _line(event: AuditEvent) -> bytes:
    return json.dumps({**event._asdict(), "at": event.at.isoformat()}).encode() + b"\n"


def _file_left(folder: Path, table: OpenTable) -> None:
    """Bring to the table what the journals of writers that are no more have. Retry: safe, also beside another."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else ():
        writer, _, number = path.stem.rpartition("-")
        with suppress(FileNotFoundError), path.open("rb") as file:  # its writer, or another, was just through
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # its writer lives
            _commit(table, writer, int(number), list(_events(file)))
            path.unlink(missing_ok=True)


def _events(lines: Iterator[bytes]) -> Iterator[AuditEvent]:
    """The events of whole lines: nobody was told of those of half a one."""
    for line in lines:
        if line.endswith(b"\n"):
            fields = json.loads(line)
            yield AuditEvent(**{**fields, "at": datetime.fromisoformat(fields["at"])})
