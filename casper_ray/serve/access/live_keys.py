"""The keys as a door knows them: in memory, and never more than a moment behind their file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from casper_ray.errors import ConfigError
from casper_ray.serve.access.api_keys import KeyRecord
from casper_ray.serve.access.key_file import read_keys
from casper_ray.serve.door.errors import DoorError

_LOOK_EVERY_S: Final = 0.25
_Mark = tuple[int, int, int] | None
"""Of one state of the file: when it, its name or its permissions changed, inode, bytes. None: no file."""


class LiveKeys:
    """Records by prefix and by id. A change of the file is seen within a quarter of a second."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._looked = float("-inf")
        self._mark: _Mark = None
        self._by_prefix: dict[str, KeyRecord] = {}
        self._by_id: dict[str, KeyRecord] = {}

    def by_prefix(self, prefix: str) -> KeyRecord | None:
        """Raises: DoorError 503 where the file cannot be used: nobody is let in by what it once said."""
        self._look()
        return self._by_prefix.get(prefix)

    def by_id(self, key_id: str) -> KeyRecord | None:
        """Raises: as `by_prefix`."""
        self._look()
        return self._by_id.get(key_id)

    def _look(self) -> None:
        now = self._clock()
        if now - self._looked < _LOOK_EVERY_S:
            return
        try:
            mark = _mark_of(self._path)
            if mark != self._mark:
                self._take(read_keys(self._path))
        except (ConfigError, OSError):
            # The reason names a file of ours: the command tells it, not the door.
            raise DoorError(
                503, "the API keys cannot be read", "the operator's `casper serve keys ls` says why"
            ) from None
        # The mark of before it was read: what was written meanwhile has another one, and is read next time.
        self._looked, self._mark = now, mark

    def _take(self, records: tuple[KeyRecord, ...]) -> None:
        self._by_prefix = {record.prefix: record for record in records}
        self._by_id = {record.id: record for record in records}


def _mark_of(path: Path) -> _Mark:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ctime_ns, found.st_ino, found.st_size
