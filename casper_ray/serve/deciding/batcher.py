"""The door's side of an agent: requests that wait are sent to a proposer together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from casper_ray.errors import RetryLater
from casper_ray.serve.deciding.gathering import Gathering
from casper_ray.serve.deciding.group import Answer, ProposerCalls
from casper_ray.serve.deciding.repeat import repeated
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Made, Wanted
from casper_ray.serve.operations.instruments import DOOR
from casper_ray.serve.settings import LimitSettings

_SHARE_S: Final = 0.02
"""A group costs 30 to 40 ms of processor time whether 1 or 32 are in it: half of that is worth waiting for more."""


class Batcher:
    """One agent's, at one door. A call whose proposer died is made again: a case is decided once.

    at_once: requests in a call. calls: that are under way at the same time.
    """

    def __init__(
        self, agent: str, proposers: ProposerCalls, limits: LimitSettings, *, at_once: int, calls: int
    ) -> None:
        self._agent, self._proposers, self._limits = agent, proposers, limits
        self._gathering: Gathering[Wanted, Answer] = Gathering(
            self._send, at_once=at_once, in_flight=calls, share_s=_SHARE_S
        )
        DOOR.watch_waiting(agent, lambda: self._gathering.waiting)

    @property
    def waiting(self) -> int:
        """Requests that are in no call yet."""
        return self._gathering.waiting

    async def decide(self, wanted: Wanted) -> Made:
        """Raises: DoorError, see `door.services.Deciding`."""
        if self._gathering.waiting >= self._limits.waiting:
            raise DoorError(503, f"agent {self._agent}: too many wait", "ask again", {"Retry-After": "1"})
        try:
            async with asyncio.timeout(self._limits.decide_s):
                answer = await self._gathering.submit(wanted)
        except TimeoutError:
            raise DoorError(
                504,
                f"agent {self._agent}: not decided within {self._limits.decide_s:g} s",
                "it may be decided all the same: ask again, with the same Idempotency-Key",
            ) from None
        if isinstance(answer, DoorError):
            raise answer
        return answer

    async def _send(self, wanted: Sequence[Wanted]) -> Sequence[Answer]:
        try:
            return await repeated(
                lambda left_s: self._proposers.decide(wanted, left_s), self._limits.decide_s
            )
        except RetryLater:
            busy = DoorError(
                503, f"agent {self._agent}: cannot be reached", "ask again in a moment", {"Retry-After": "2"}
            )
            return [busy] * len(wanted)
