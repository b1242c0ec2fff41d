"""One case in front of a model: what it may ask, what it has cost, and the client that counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, Protocol

from openai import AsyncOpenAI

from casper_ray.agents.agent import Agent, Answer
from casper_ray.agents.engines.budget import Meter
from casper_ray.agents.engines.settings import EngineSettings
from casper_ray.agents.tools import Toolbox


@dataclass(slots=True, kw_only=True)
class Sitting:
    """replies: the messages of the model, as they came."""

    agent: Agent
    toolbox: Toolbox
    meter: Meter
    client: AsyncOpenAI
    model: str
    settings: EngineSettings
    replies: list[dict[str, Any]] = field(default_factory=list)

    def evidence(self) -> list[str]:
        """Tools that were asked and had something to tell, in the agent's order."""
        told = {call.tool for call in self.toolbox.calls if call.result and call.result.get("found")}
        return [tool.name for tool in self.agent.tools if tool.name in told]

    def evidence_sha256(self) -> str:
        """Of the calls: what was asked, what was told, what was refused."""
        case = self.toolbox.case
        calls = [call.model_dump(mode="json") for call in self.toolbox.calls]
        told = json.dumps([case.case_id, case.at.isoformat(), calls], sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()

    def usage(self) -> dict[str, Any]:
        refused = [f"{call.tool}:{call.refused}" for call in self.toolbox.calls if call.refused]
        asked = {"tool_calls": len(self.toolbox.calls), "refused_calls": refused, "model": self.model}
        return {**self.meter.usage(), **asked}


class Way(Protocol):
    """How a model is asked: a coroutine from a sitting to the agent's answer. Raises what `failure_of` names."""

    def __call__(self, sitting: Sitting) -> Awaitable[Answer]: ...
