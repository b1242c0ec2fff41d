"""Steering a replay that runs in another process: a wish in a file, an answer in another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from casper_ray import durable


class Wish(NamedTuple):
    """What was asked of the replay. number: rises with each wish. speed: None leaves it as it is."""

    number: int = 0
    paused: bool = False
    speed: float | None = None


class Control:
    """The control folder of one replay, from either side."""

    def __init__(self, folder: Path) -> None:
        self._wish, self._status = folder / "wish.json", folder / "status.json"
        self._seen = (0, 0)

    def ask(self, *, paused: bool | None = None, speed: float | None = None) -> Wish:
        """Leave a wish; what is not given stays as last asked."""
        last = self.wish()
        wish = Wish(
            last.number + 1,
            last.paused if paused is None else paused,
            last.speed if speed is None else speed,
        )
        durable.write_json(self._wish, wish._asdict())
        return wish

    def wish(self) -> Wish:
        """The last wish."""
        value = durable.read_json(self._wish)
        return Wish(**value) if value else Wish()

    def forget(self) -> None:
        """A new run is not bound by what an earlier one was asked."""
        self._wish.unlink(missing_ok=True)

    def new_wish(self) -> Wish | None:
        """The wish, if it changed since the last look; costs one look at the file's entry."""
        try:
            entry = self._wish.stat()
        except FileNotFoundError:
            return None
        seen = (entry.st_mtime_ns, entry.st_ino)
        if seen == self._seen:
            return None
        self._seen = seen
        return self.wish()

    def tell(self, status: dict[str, Any]) -> None:
        """Let other processes see how the replay does. Atomic; not durable, for it is only about now."""
        temporary = self._status.with_suffix(".part")
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(status))
        temporary.replace(self._status)

    def told(self) -> dict[str, Any] | None:
        """The last status, or None."""
        return durable.read_json(self._status)
