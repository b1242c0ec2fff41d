"""What replicas of Ray Serve are: the plain classes, made from the configuration's `args`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casper_ray.config_files import checked
from casper_ray.lakehouse.names import existing_catalog
from casper_ray.serve.audit import AuditEvent
from casper_ray.serve.deciding.group import Answer, Group
from casper_ray.serve.deciding.handles import HandleKeeper
from casper_ray.serve.deciding.keeper import Keeper
from casper_ray.serve.deciding.proposer import Proposer
from casper_ray.serve.deciding.served import build_one, build_served, catalogs_of
from casper_ray.serve.door.services import Wanted
from casper_ray.serve.operations.metrics import Snapshot
from casper_ray.serve.operations.replica import Operated
from casper_ray.serve.settings import ServeSettings


class ProposerReplica:
    """One of an agent's proposers."""

    def __init__(self, args: Mapping[str, Any], agent: str, keeper: Any) -> None:
        settings = checked(ServeSettings, dict(args), "args")
        self._operated = Operated(settings, f"proposer:{agent}")
        self._proposer = Proposer(build_one(settings, agent), HandleKeeper(keeper))

    async def decide(self, wanted: Sequence[Wanted], left_s: float) -> list[Answer]:
        return await self._proposer.decide(wanted, left_s)

    async def ready(self) -> bool:
        return await self._proposer.ready()

    async def numbers(self) -> Snapshot:
        """What this process counted."""
        return self._operated.numbers()

    def __del__(self) -> None:
        self._proposer.close()


class KeeperReplica:
    """A catalog's keeper. Never more than one: a second one would wait for the first one's leases."""

    def __init__(self, args: Mapping[str, Any], catalog: str) -> None:
        settings = checked(ServeSettings, dict(args), "args")
        self._operated = Operated(settings, f"keeper:{catalog}")
        served = catalogs_of(build_served(settings))[catalog]
        self._keeper = Keeper(existing_catalog(settings.lake, catalog), served)

    async def keep(self, group: Group) -> list[Answer]:
        return await self._keeper.keep(group)

    async def note(self, events: Sequence[AuditEvent]) -> None:
        await self._keeper.note(events)

    async def file_events(self) -> None:
        await self._keeper.file_events()

    async def ready(self) -> bool:
        return await self._keeper.ready()

    async def numbers(self) -> Snapshot:
        """What this process counted."""
        return self._operated.numbers()

    def check_health(self) -> None:
        """Raises: RuntimeError where a commit hangs; Ray Serve replaces the replica then."""
        self._keeper.check_health()

    def __del__(self) -> None:
        self._keeper.close()
