"""Work that is done for many at once: what comes while it is being done is gathered for the next time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from typing import Final, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_FADES: Final = 0.75
"""What is left, after a call, of the most that there were."""
_FEW: Final = 8
"""So many are not divided among calls."""


class Gathering(Generic[T, R]):
    """Hands what waits to `work`, at most `at_once` items a call and `in_flight` calls at the same time.

    work: one result an item, in their order. What it raises, every item of that call gets. For one event loop.
    share_s: for how long an item may wait for its call to have its share of all that there is, so that calls are of
    one size: whoever asks again as soon as it is answered would else be alone in the next call. Who is alone, waits
    for nobody.
    """

    def __init__(
        self,
        work: Callable[[list[T]], Awaitable[Sequence[R]]],
        *,
        at_once: int,
        in_flight: int = 1,
        share_s: float = 0.0,
    ) -> None:
        self._work, self._at_once, self._free = work, at_once, in_flight
        self._in_flight, self._share_s = in_flight, share_s
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._calls: dict[asyncio.Task[None], float] = {}
        self._woken = False
        self._under_way, self._usual = 0, 0.0
        self._sharing: asyncio.TimerHandle | None = None

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
        """Call, unless what waits is less than a call's share and may wait for more."""
        self._woken = False
        if not self._waiting or not self._free:
            return
        if not self._share_s or len(self._waiting) >= self._share():
            self._call_now()
        elif self._sharing is None:
            self._sharing = asyncio.get_running_loop().call_later(self._share_s, self._call_now)

    def _call_now(self) -> None:
        if self._sharing is not None:
            self._sharing.cancel()
            self._sharing = None
        if not self._waiting or not self._free:
            return
        self._usual = max(_FADES * self._usual, len(self._waiting) + self._under_way)
        self._free -= 1
        count = min(len(self._waiting), self._at_once, self._share())
        taken = [self._waiting.popleft() for _ in range(count)]
        self._under_way += count
        task = asyncio.get_running_loop().create_task(self._done(taken))
        self._calls[task] = time.monotonic()
        task.add_done_callback(self._calls.pop)
        self._call()

    def _share(self) -> int:
        """How many a call takes: its part of the most that there were of late, waiting and under way."""
        return min(self._at_once, max(ceil(self._usual / self._in_flight), min(_FEW, int(self._usual)), 1))

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
            self._under_way -= len(taken)
            self._call()
