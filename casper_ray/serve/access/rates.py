"""How often somebody may ask: token buckets, as many as there are people who ask, up to a bound."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MOST: Final = 10_000
"""Buckets that are kept. The one that was unused for longest goes first, and is full when it comes back."""


class Rates:
    """A bucket for each name: `burst` requests at once out of the blue, `per_s` a second on average.

    Kept as one number a name, the instant at which its bucket would be full again (the generic cell rate algorithm),
    so that nothing has to be refilled. Of one process: another door has buckets of its own.
    """

    def __init__(
        self, per_s: float, burst: int, *, clock: Callable[[], float] = time.monotonic, most: int = _MOST
    ) -> None:
        self._interval_s = 1 / per_s
        self._credit_s = (burst - 1) / per_s
        self._clock, self._most = clock, most
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> float:
        """Seconds until `name` may ask; 0: now, and that was counted."""
        now = self._clock()
        full_at = max(self._full_at.get(name, now), now)
        wait_s = full_at - now - self._credit_s
        if wait_s > 0:
            return wait_s
        self._full_at[name] = full_at + self._interval_s
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return 0.0
