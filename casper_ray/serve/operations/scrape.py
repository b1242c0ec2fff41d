"""The numbers of all processes: each is asked by handle at the moment of the scrape."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from casper_ray.serve.operations.metrics import Snapshot, snapshot

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle

_ANSWER_S = 2.0
"""Prometheus gives up after 10 s; what is too busy to answer in this time is left out of one scrape."""


class Numbers(Protocol):
    """Where the numbers of the application come from. parts: those that there should be."""

    parts: Sequence[str]

    async def snapshots(self) -> Sequence[Snapshot]:
        """One per process that answers. Never raises."""


class OwnNumbers:
    """Of one process that is all there is."""

    parts: Sequence[str] = ("door",)

    async def snapshots(self) -> Sequence[Snapshot]:
        return [snapshot("door", "0")]


class AskedNumbers:
    """Of an application on Ray Serve: every replica of every deployment, by a broadcast of `numbers()`.

    handles: part -> its deployment's handle, the doors' own among them. Nothing is pushed and nothing is kept: what
    is asked once in 15 s costs nothing in between, and no further process has to live for the numbers to be seen.
    """

    def __init__(self, handles: Mapping[str, DeploymentHandle[Any]]) -> None:
        self._handles = handles
        self.parts: Sequence[str] = tuple(handles)

    async def snapshots(self) -> Sequence[Snapshot]:
        found = await asyncio.gather(*(_asked(part, handle) for part, handle in self._handles.items()))
        return [one for part in found for one in part]


async def _asked(part: str, handle: DeploymentHandle[Any]) -> list[Snapshot]:
    """What the replicas of a part say. A part that is being replaced says nothing, and is counted as 0."""
    try:
        response = handle.broadcast("numbers")
        answers = await response.results_async(timeout_s=_ANSWER_S, return_exceptions=True)
    except Exception as error:
        structlog.get_logger().warning("numbers_missing", part=part, error=type(error).__name__)
        return []
    return [answer for answer in answers if isinstance(answer, Snapshot)]
