"""Events of refusals on their way from a door to a keeper, and events as they are read back."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from heapq import nlargest
from itertools import islice
from typing import Final

from casper_ray.agents.stream.runner import Setting
from casper_ray.errors import CasperError
from casper_ray.lakehouse.names import Catalog
from casper_ray.serve.audit import AuditEvent, newest_events
from casper_ray.serve.deciding.group import KeeperCalls
from casper_ray.serve.operations.instruments import AUDIT

_EVERY_S: Final = 0.5
_MOST: Final = 20_000
_AT_ONCE: Final = 2_000
_LOG = logging.getLogger(__name__)


class KeptEvents:
    """`door.services.Audit`. An event goes to the keeper of its agent's catalog; without an agent to the first."""

    def __init__(self, served: Mapping[str, Setting], keepers: Mapping[str, KeeperCalls]) -> None:
        self._catalogs: dict[str, Catalog] = {
            setting.catalog.name: setting.catalog for setting in served.values()
        }
        self._catalog_of = {name: setting.catalog.name for name, setting in served.items()}
        self._keepers = keepers
        self._waiting = {name: deque[AuditEvent]() for name in keepers}
        self._sending: asyncio.Task[None] | None = None
        self.dropped = 0

    def note(self, event: AuditEvent) -> None:
        if not self._waiting:
            self.dropped += 1
            AUDIT.events("dropped", 1)
            return
        waiting = self._waiting[self._catalog_of.get(event.agent, next(iter(self._waiting)))]
        if len(waiting) >= _MOST:
            self.dropped += 1
            AUDIT.events("dropped", 1)
            return
        waiting.append(event)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def events(self, newest: int) -> list[AuditEvent]:
        await asyncio.gather(*map(self._filed, self._keepers.values()))
        read = [asyncio.to_thread(newest_events, each, newest) for each in self._catalogs.values()]
        found = [event for some in await asyncio.gather(*read) for event in some]
        return nlargest(newest, found, key=lambda event: event.at)

    async def flush(self) -> None:
        """Send what waits now."""
        for name, waiting in self._waiting.items():
            while some := list(islice(waiting, _AT_ONCE)):
                await self._keepers[name].note(some)
                for _ in some:
                    waiting.popleft()

    async def _filed(self, keeper: KeeperCalls) -> None:
        """What the keeper cannot file now is missing for a while: that is no reason to show nothing."""
        try:
            await keeper.file_events()
        except (CasperError, OSError) as error:
            _LOG.warning("audit events stay in their journal: %s", type(error).__name__)

    async def _send(self) -> None:
        """Every now and then, until nothing waits; what could not be sent waits for the next time."""
        while any(self._waiting.values()):
            await asyncio.sleep(_EVERY_S)
            try:
                await self.flush()
            except (CasperError, OSError) as error:
                _LOG.warning("audit events wait: %s", type(error).__name__)


def audit_json(events: Sequence[AuditEvent]) -> list[dict[str, object]]:
    """Events for JSON."""
    return [{**each._asdict(), "at": each.at.isoformat().replace("+00:00", "Z")} for each in events]
