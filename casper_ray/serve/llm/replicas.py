"""Whether a replica of the model runs, as Ray Serve's controller has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

ASKED_EVERY_S: Final = 2.0


class Replicas:
    """Asked for many requests at once, but not more often than every `ASKED_EVERY_S`.

    count: how many run; may block.
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._asked: asyncio.Future[int] | None = None
        self._asked_s = 0.0

    async def any_runs(self) -> bool:
        """True too where the controller cannot say, as while it is replaced: no reason to give up on anything."""
        now_s = time.monotonic()
        if self._asked is None or now_s - self._asked_s > ASKED_EVERY_S:
            self._asked, self._asked_s = asyncio.ensure_future(asyncio.to_thread(self._count)), now_s
        try:
            return await asyncio.shield(self._asked) > 0
        except Exception:
            return True


def replicas_of(handle: Any) -> Replicas:
    """Those of a handle's deployment."""

    def count() -> int:
        from ray import serve

        application = serve.status().applications[handle.app_name]
        states = application.deployments[handle.deployment_name].replica_states
        return sum(number for state, number in states.items() if getattr(state, "value", state) == "RUNNING")

    return Replicas(count)
