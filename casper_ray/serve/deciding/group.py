"""What goes from a proposer to the keeper in one call, and what comes back."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import polars as pl

from casper_ray.serve.audit import AuditEvent
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Made, Wanted

Answer = Made | DoorError
"""Of one request. A refusal is a value here: one request of a group does not fail the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request and its case. refusal: why there is no case; the keeper may know an answer by its key."""

    wanted: Wanted
    case_id: str = ""
    refusal: DoorError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Requests of one agent and version, with the proposals on their cases.

    proposed: what `Decider.propose` returned, one row a case; None: there are no cases.
    sim_now:  where simulated time stood.
    left:     table versions by batch, as `Store.versions_by_batch` tells them, of the proposals' batches.
    """

    agent: str
    version: str
    asked: Sequence[Asked]
    proposed: pl.DataFrame | None
    sim_now: datetime | None
    left: Mapping[int, Mapping[str, int]]


class ProposerCalls(Protocol):
    """An agent's proposers, wherever they are. Raises: RetryLater where none can be reached now."""

    def decide(self, wanted: Sequence[Wanted], left_s: float) -> Awaitable[Sequence[Answer]]:
        """One answer a request, in their order, within `left_s` seconds."""

    def ready(self) -> Awaitable[bool]: ...


class KeeperCalls(Protocol):
    """A catalog's keeper, wherever it is. Raises: RetryLater where it cannot be reached now."""

    def keep(self, group: Group) -> Awaitable[Sequence[Answer]]:
        """One answer a request, in their order. What was decided is durable by then. Retry: safe."""

    def note(self, events: Sequence[AuditEvent]) -> Awaitable[None]:
        """Events of requests that were refused."""

    def file_events(self) -> Awaitable[None]:
        """Bring to their table all events that were kept so far. Raises: OSError, CasperError."""

    def ready(self) -> Awaitable[bool]: ...
