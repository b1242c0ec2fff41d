"""A call that is made again while whoever is called is being replaced."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from casper_ray.errors import RetryLater

T = TypeVar("T")
_FIRST_S, _LONGEST_S = 0.02, 0.5


async def repeated(call: Callable[[float], Awaitable[T]], within_s: float) -> T:
    """What `call(seconds left)` returns, asked again after each RetryLater, with growing pauses.

    Only for calls that can be made twice. Raises: RetryLater where time is up.
    """
    until, pause_s = time.monotonic() + within_s, _FIRST_S
    while True:
        try:
            return await call(until - time.monotonic())
        except RetryLater:
            if time.monotonic() + pause_s >= until:
                raise
        await asyncio.sleep(random.uniform(pause_s / 2, pause_s))
        pause_s = min(pause_s * 2, _LONGEST_S)
