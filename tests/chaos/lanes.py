"""Work dealt out to lanes that run side by side, told of now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

LANES = 2
"""So many, however many processors there are: the same seed deals out the same."""

_TOLD_EVERY_S = 8.0

Made = TypeVar("Made")


def side_by_side(run: Callable[[int], Made]) -> list[Made]:
    """What `run` makes of each lane, in their order. Raises: what the first of them raised, once all have ended."""
    with ThreadPoolExecutor(LANES, thread_name_prefix="lane") as pool:
        running = [pool.submit(run, lane) for lane in range(LANES)]
    return [lane.result() for lane in running]


class Progress:
    """How far all lanes together are; a line every few seconds."""

    def __init__(self, told: Callable[[str], None], what: str, total: int) -> None:
        self._told, self._what, self._total = told, what, total
        self._done = 0
        self._last_s = time.monotonic()
        self._lock = threading.Lock()

    def one_more(self) -> None:
        with self._lock:
            self._done += 1
            now_s = time.monotonic()
            if self._done == self._total or now_s - self._last_s >= _TOLD_EVERY_S:
                self._last_s = now_s
                self._told(f"{self._what}: {self._done} of {self._total}")
