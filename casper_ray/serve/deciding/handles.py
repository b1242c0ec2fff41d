"""Proposers and keepers as Ray Serve's handles reach them: what dies on the way is RetryLater."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from ray.exceptions import RayActorError, TaskCancelledError
from ray.serve.exceptions import RayServeException

from casper_ray.errors import RetryLater
from casper_ray.serve.audit import AuditEvent
from casper_ray.serve.deciding.group import Answer, Group
from casper_ray.serve.door.services import Wanted

_GONE: Final = (RayActorError, RayServeException, TaskCancelledError, TimeoutError)
_KEEP_S: Final = 30.0
"""A keeper that says nothing for so long is taken for one that will not."""
_FILE_S: Final = 3.0
"""Who wants to see events sees those that are in the table, where the keeper is away."""


class HandleProposer:
    """An agent's proposers. A call whose replica died may have decided: asked again, it finds what was kept."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def decide(self, wanted: Sequence[Wanted], left_s: float) -> Sequence[Answer]:
        answers: Sequence[Answer] = await _called(self._handle.decide.remote(wanted, left_s), left_s)
        return answers

    async def ready(self) -> bool:
        ready: bool = await _called(self._handle.ready.remote(), _KEEP_S)
        return ready


class HandleKeeper:
    """A catalog's keeper."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def keep(self, group: Group) -> Sequence[Answer]:
        answers: Sequence[Answer] = await _called(self._handle.keep.remote(group), _KEEP_S)
        return answers

    async def note(self, events: Sequence[AuditEvent]) -> None:
        await _called(self._handle.note.remote(events), _KEEP_S)

    async def file_events(self) -> None:
        await _called(self._handle.file_events.remote(), _FILE_S)

    async def ready(self) -> bool:
        ready: bool = await _called(self._handle.ready.remote(), _KEEP_S)
        return ready


async def _called(response: Any, within_s: float) -> Any:
    """Raises: RetryLater where the replica died, is not there, or says nothing in time."""
    try:
        async with asyncio.timeout(within_s):
            return await response
    except _GONE as error:
        response.cancel()
        raise RetryLater(type(error).__name__, 0.1) from error
