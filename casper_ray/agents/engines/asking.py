"""The engine that asks a model: many cases at once, each in its own sitting, their rows in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx2
import polars as pl
from openai import OpenAIError
from polars.datatypes import DataTypeClass
from pydantic_ai.exceptions import AgentRunError

from casper_ray.agents.agent import Answer
from casper_ray.agents.case import Case
from casper_ray.agents.engines.budget import CaseFailedError, Meter
from casper_ray.agents.engines.endpoint import Endpoint, failure_of
from casper_ray.agents.engines.engine import PROPOSED, Ask
from casper_ray.agents.engines.settings import EngineSettings
from casper_ray.agents.engines.sitting import Sitting, Way
from casper_ray.agents.tools import Toolbox


class Proposal(NamedTuple):
    """A row of what `Engine.propose` returns."""

    answer: dict[str, Any] | None
    sure: bool
    failure: str | None
    evidence: list[str]
    evidence_sha256: str
    engine: str
    usage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingEngine:
    """Asks a model by `way`, of which `mode` is the name. seen: is told of every message before it is acted on."""

    name: str
    mode: str
    way: Way
    endpoint: Endpoint
    asked_by: EngineSettings
    seen: Callable[[Sitting, dict[str, Any]], None] | None = None
    deterministic: bool = False

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "name": self.name,
            "mode": self.mode,
            "model": self.endpoint.model,
            **self.asked_by.of_version(),
        }

    def propose(self, ask: Ask) -> pl.DataFrame:
        """See `Engine.propose`. In a thread of its own, so that a caller's running loop is no hindrance."""
        kinds: dict[str, pl.DataType | DataTypeClass] = {
            "answer": pl.Struct(ask.agent.answer_schema),
            "sure": pl.Boolean,
            **PROPOSED,
        }
        with ThreadPoolExecutor(1, "asking") as thread:
            rows = thread.submit(asyncio.run, self._proposals(ask)).result()
        return pl.DataFrame(rows, schema=kinds, orient="row")

    async def _proposals(self, ask: Ask) -> list[Proposal]:
        """Workers that take the next case when they are done with one: no more is begun than is worked on."""
        waiting = iter(enumerate(ask.evidence.iter_rows(named=True)))
        done: dict[int, Proposal] = {}

        async def work(way: httpx2.AsyncBaseTransport) -> None:
            for place, row in waiting:
                done[place] = await self._proposal(ask, Case.of(row), way)

        async with self.endpoint.opened(self.asked_by) as way, asyncio.TaskGroup() as workers:
            for _ in range(min(self.asked_by.at_once, ask.evidence.height)):
                workers.create_task(work(way))
        return [done[place] for place in sorted(done)]

    async def _proposal(self, ask: Ask, case: Case, way: httpx2.AsyncBaseTransport) -> Proposal:
        sitting = self._sitting(ask, case, way)
        answer, failure = await self._answer(sitting)
        return Proposal(
            answer.model_dump() if answer is not None else None,
            answer is not None,
            failure,
            sitting.evidence(),
            sitting.evidence_sha256(),
            self.name,
            json.dumps(sitting.usage()),
        )

    async def _answer(self, sitting: Sitting) -> tuple[Answer | None, str | None]:
        try:
            async with asyncio.timeout(self.asked_by.budget.seconds):
                return await self.way(sitting), None
        except TimeoutError:
            return None, "budget_seconds"
        except (CaseFailedError, OpenAIError, AgentRunError, httpx2.HTTPError) as error:
            return None, failure_of(error) or "endpoint_error"

    def _sitting(self, ask: Ask, case: Case, way: httpx2.AsyncBaseTransport) -> Sitting:
        meter = Meter(self.asked_by.budget, self.asked_by.prices)
        replies: list[dict[str, Any]] = []

        def seen(message: dict[str, Any]) -> None:
            replies.append(message)
            if self.seen is not None:
                self.seen(sitting, message)

        sitting = Sitting(
            agent=ask.agent,
            toolbox=Toolbox(ask.store, case, ask.agent.tools),
            meter=meter,
            client=self.endpoint.client(way, meter, seen, self.asked_by),
            model=self.endpoint.model,
            settings=self.asked_by,
            replies=replies,
        )
        return sitting
