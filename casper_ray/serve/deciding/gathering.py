"""Work that is done for many at once: what comes while it is being done is gathered for the next time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Gathering(Generic[T, R]):
    """Hands what waits to `work`, at most `at_once` items a call and `in_flight` calls at the same time.

    work: one result an item, in their order. What it raises, every item of that call gets. For one event loop.
    """

    def __init__(
        self, work: Callable[[list[T]], Awaitable[Sequence[R]]], *, at_once: int, in_flight: int = 1
    ) -> None:
        self._work, self._at_once, self._free = work, at_once, in_flight
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._calls: dict[asyncio.Task[None], float] = {}
        self._woken = False

    @property
    def waiting(self) -> int:
        """How many items are in no call yet."""
        return len(self._waiting)

    @property
    def oldest_s(self) -> float:
        """For how long the oldest call that is under way has been so; 0: there is none."""
        return time.monotonic() - min(self._calls.values()) if self._calls else 0.0

    def submit(self, item: T) -> asyncio.Future[R]:
        """The item's result. Who does not want it any more cancels it; the work is done all the same."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, result))
        if not self._woken and self._free:
            self._woken = True
            loop.call_soon(self._call)  # what else comes with this turn of the loop goes along
        return result

    def _call(self) -> None:
        self._woken = False
        while self._waiting and self._free:
            self._free -= 1
            count = min(len(self._waiting), self._at_once)
            taken = [self._waiting.popleft() for _ in range(count)]
            task = asyncio.get_running_loop().create_task(self._done(taken))
            self._calls[task] = time.monotonic()
            task.add_done_callback(self._calls.pop)

    async def _done(self, taken: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._work([item for item, _ in taken])
        except (
            BaseException
        ) as error:  # also a panic of Rust's, which is no Exception: nobody may wait for ever
            told = error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
            for _, waits in taken:
                if not waits.done():
                    waits.set_exception(told)
            if isinstance(error, (KeyboardInterrupt, SystemExit, asyncio.CancelledError)):
                raise
        else:
            for (_, waits), result in zip(taken, results, strict=True):
                if not waits.done():
                    waits.set_result(result)
        finally:
            self._free += 1
            self._call()
