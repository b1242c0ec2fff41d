"""Many may read at once, or one may change: the order of threads at a store that follows its tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Turns:
    """Threads that read and threads that change, never both."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._reading, self._changing = 0, False

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._changing)
            self._reading += 1
        try:
            yield
        finally:
            with self._changed:
                self._reading -= 1
                self._changed.notify_all()

    @contextmanager
    def changing(self, *, wait: bool) -> Iterator[bool]:
        """Whether the block may change things: without `wait` only where nobody reads now."""
        with self._changed:
            if wait:
                self._changed.wait_for(self._idle)
            mine = self._idle()
            self._changing = self._changing or mine
        try:
            yield mine
        finally:
            with self._changed:
                if mine:
                    self._changing = False
                self._changed.notify_all()

    def _idle(self) -> bool:
        return self._reading == 0 and not self._changing
