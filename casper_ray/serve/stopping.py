"""Asked to end: once, it ends in order; twice, at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_ASKS: Final = (signal.SIGINT, signal.SIGTERM)


class Stop(threading.Event):
    """Set by SIGINT or SIGTERM; a second one raises KeyboardInterrupt. interrupted: by Ctrl-C: exit code 130."""

    interrupted = False

    def listen(self) -> None:
        """Hear signals. Again once Ray is up: it puts a handler of its own in, which aborts the process after 3 s."""
        for number in _ASKS:
            signal.signal(number, self._asked)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        signal.alarm(0)  # Ray's handler set it, where it was there first
        self.interrupted = self.interrupted or number == signal.SIGINT
        if self.is_set():
            raise KeyboardInterrupt
        self.set()


@contextmanager
def stopping() -> Iterator[Stop]:
    """The event, for the block's time."""
    before = {number: signal.getsignal(number) for number in _ASKS}
    stop = Stop()
    stop.listen()
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
