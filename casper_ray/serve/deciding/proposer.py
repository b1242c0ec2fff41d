"""The proposer: what an agent's engine proposes on the cases that requests name. It decides nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from casper_ray.agents.stream.one_case import NotYetError, no_case
from casper_ray.agents.stream.runner import Setting
from casper_ray.agents.stream.switch import Switch
from casper_ray.errors import RetryLater
from casper_ray.serve.deciding.cases import Cases
from casper_ray.serve.deciding.group import Answer, Asked, Group, KeeperCalls
from casper_ray.serve.deciding.repeat import repeated
from casper_ray.serve.deciding.served import calls_at_once
from casper_ray.serve.deciding.turns import Turns
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Wanted
from casper_ray.serve.operations.instruments import CASES
from casper_ray.serve.operations.spans import SPANS


class _Proposed(NamedTuple):
    """answers: of requests that need no keeping, by their place; the group has the others, in order."""

    answers: dict[int, Answer]
    group: Group | None


class Proposer:
    """One agent's. Stateless but for what it read: any number of them can work side by side.

    keeper: who keeps what is decided.
    """

    def __init__(self, setting: Setting, keeper: KeeperCalls) -> None:
        self._setting, self._keeper = setting, keeper
        self._decider = setting.decider()
        self._cases, self._turns = Cases(setting), Turns()
        self._switch = Switch(setting.catalog, setting.agent.name)
        self._threads = ThreadPoolExecutor(calls_at_once(setting), f"propose-{setting.agent.name}")
        CASES.read_batch(setting.agent.name, self._cases.store.batch)

    async def decide(self, wanted: Sequence[Wanted], left_s: float) -> list[Answer]:
        """One answer a request, in their order; those of decisions are durable.

        Retry: safe, also after a crash: a case is decided once.
        """
        loop = asyncio.get_running_loop()
        proposed = await loop.run_in_executor(self._threads, self._proposed, wanted)
        answers = proposed.answers
        if proposed.group is not None:
            kept = iter(await self._kept(proposed.group, left_s))
            answers |= {place: next(kept) for place in range(len(wanted)) if place not in answers}
        return [answers[place] for place in range(len(wanted))]

    def close(self) -> None:
        self._threads.shutdown()

    async def ready(self) -> bool:
        return True

    async def _kept(self, group: Group, left_s: float) -> Sequence[Answer]:
        try:
            return await repeated(lambda _: self._keeper.keep(group), left_s)
        except RetryLater:
            busy = DoorError(
                503, "decisions cannot be kept now", "ask again in a moment", {"Retry-After": "2"}
            )
            return [busy] * len(group.asked)

    def _proposed(self, wanted: Sequence[Wanted]) -> _Proposed:
        agent, began_s = self._setting.agent.name, time.perf_counter()
        with SPANS.group("propose", agent, [each.trace for each in wanted]):
            self._follow(wanted)
            with self._turns.reading():
                proposed = self._of_cases(wanted)
        CASES.staged(agent, "propose", cases=len(wanted), seconds=time.perf_counter() - began_s)
        return proposed

    def _follow(self, wanted: Sequence[Wanted]) -> None:
        """Look for new batches: while nobody reads, or in any case where one may have what is asked for."""
        if not self._cases.due:
            return
        unknown = None in self._cases.places(each.subject for each in wanted)
        with self._turns.changing(wait=unknown) as mine:
            if mine:
                self._cases.follow()
                CASES.read_batch(self._setting.agent.name, self._cases.store.batch)

    def _of_cases(self, wanted: Sequence[Wanted]) -> _Proposed:
        asked, answers = [], dict[int, Answer]()
        places = self._cases.places(each.subject for each in wanted)
        for number, (each, place) in enumerate(zip(wanted, places, strict=True)):
            if place is not None:
                asked.append(Asked(wanted=each, case_id=self._cases.case_id(place)))
            elif each.key_digest:
                asked.append(Asked(wanted=each, refusal=self._refusal(each.subject)))
            else:
                answers[number] = self._refusal(each.subject)
        found = {place for place in places if place is not None}
        return _Proposed(answers, self._group(asked, found) if asked else None)

    def _group(self, asked: Sequence[Asked], places: set[int]) -> Group:
        store = self._cases.store
        proposed = None
        if places:
            proposed = self._decider.propose(store, self._cases.rows(places), off=self._switch.off)
        return Group(
            agent=self._setting.agent.name,
            version=self._decider.version,
            asked=asked,
            proposed=proposed,
            sim_now=store.sim_instant,
            left={} if proposed is None else self._cases.left(proposed["source_batch"]),
        )

    def _refusal(self, subject: str) -> DoorError:
        """404 of what there is not, 409 of what there is nothing to decide on yet; neither quotes what was asked."""
        found = no_case(self._setting, self._cases.store, subject)
        kind = self._setting.agent.kind
        if isinstance(found, NotYetError):
            return DoorError(409, f"there is nothing to decide on this {kind} yet", found.hint)
        return DoorError(404, f"there is no such {kind}", "ids are as the catalog's tables have them")
