"""What the door's routes call on to have something decided: a batcher an agent, before proposers and keepers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any

from casper_ray.agents.decision import SCHEMA, TABLE
from casper_ray.agents.stream.listing import listed
from casper_ray.agents.stream.runner import Setting
from casper_ray.agents.stream.switch import Switch
from casper_ray.serve.deciding.batcher import Batcher
from casper_ray.serve.deciding.group import KeeperCalls, ProposerCalls
from casper_ray.serve.deciding.past_decisions import read_decisions
from casper_ray.serve.deciding.served import calls_at_once
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Made, Wanted
from casper_ray.serve.settings import ServeSettings

_READY_S = 2.0


class ServedDeciding:
    """`door.services.Deciding` over proposers by agent and keepers by catalog, wherever they are."""

    def __init__(
        self,
        settings: ServeSettings,
        served: Mapping[str, Setting],
        proposers: Mapping[str, ProposerCalls],
        keepers: Mapping[str, KeeperCalls],
    ) -> None:
        self._settings, self._served = settings, served
        self._proposers, self._keepers = proposers, keepers
        self._batchers = {
            name: Batcher(
                name,
                calls,
                settings.limits,
                at_once=settings.agents[name].at_once,
                calls=calls_at_once(served[name]),
            )
            for name, calls in proposers.items()
        }

    async def decide(self, wanted: Wanted) -> Made:
        if wanted.agent not in self._batchers:
            raise _no_agent()
        return await self._batchers[wanted.agent].decide(wanted)

    async def decision(self, decision_id: str) -> str:
        return await asyncio.to_thread(self._decision, decision_id)

    async def agents(self) -> Sequence[Mapping[str, Any]]:
        return await asyncio.to_thread(self._listed)

    async def switch(self, agent: str, *, off: bool) -> None:
        if agent not in self._served:
            raise _no_agent()
        switch = Switch(self._served[agent].catalog, agent)
        await asyncio.to_thread(switch.turn_off if off else switch.turn_on)

    async def ready(self) -> Mapping[str, bool]:
        parts = {f"proposer:{name}": calls.ready() for name, calls in self._proposers.items()}
        parts |= {f"keeper:{name}": calls.ready() for name, calls in self._keepers.items()}
        able = await asyncio.gather(*map(_able, parts.values()))
        return dict(zip(parts, able, strict=True))

    def _decision(self, decision_id: str) -> str:
        for path in sorted({_decisions(setting) for setting in self._served.values()}):
            if found := read_decisions(path, [decision_id]):
                return found[decision_id].decision
        raise DoorError(404, "there is no such decision", "give the whole id, as the decision has it")

    def _listed(self) -> list[dict[str, Any]]:
        return [
            listed(setting.agent, setting.catalog, setting.engine) | {"engine": setting.engine.name}
            for setting in self._served.values()
        ]


def _no_agent() -> DoorError:
    return DoorError(404, "there is no such agent here", "GET /v1/agents lists those that are served")


def _decisions(setting: Setting) -> Path:
    return setting.catalog.table(SCHEMA, TABLE)


async def _able(answer: Awaitable[bool]) -> bool:
    """Whether a part says in time that it can work."""
    try:
        return await asyncio.wait_for(answer, _READY_S)
    except Exception:  # whatever it is, the part cannot work
        return False
