"""Asked to end: once, it ends in order; twice, at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop(threading.Event):
    """Set by SIGINT or SIGTERM. interrupted: by a person's Ctrl-C, which exit code 130 says."""

    interrupted = False


@contextmanager
def stopping() -> Iterator[Stop]:
    """The event for the block's time; a second signal raises KeyboardInterrupt."""
    stop = Stop()

    def asked(number: int, frame: FrameType | None) -> None:
        stop.interrupted = stop.interrupted or number == signal.SIGINT
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
