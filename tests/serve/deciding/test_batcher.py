"""The door's side of an agent: it gathers, repeats what died, and gives up in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from asked import wanted

from casper_ray.errors import RetryLater
from casper_ray.serve.deciding.batcher import Batcher
from casper_ray.serve.deciding.group import Answer
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Made, Wanted
from casper_ray.serve.settings import LimitSettings


class Proposers:
    """Proposers of which the first `dying` calls die, and the others take `takes_s`."""

    def __init__(self, *, dying: int = 0, takes_s: float = 0.0) -> None:
        self.sizes: list[int] = []
        self._dying, self._takes_s = dying, takes_s

    async def decide(self, wanted: Sequence[Wanted], left_s: float) -> Sequence[Answer]:
        self.sizes.append(len(wanted))
        if len(self.sizes) <= self._dying:
            raise RetryLater("it died", 0.1)
        await asyncio.sleep(self._takes_s)
        return [answer(each) for each in wanted]

    async def ready(self) -> bool:
        return True


def answer(each: Wanted) -> Answer:
    if each.subject == "NOPE":
        return DoorError(404, "there is no such order")
    return Made(decision_id=each.subject, gate_action="approved", decision="{}", replayed=False)


def batcher(proposers: Proposers, **limits: float) -> Batcher:
    return Batcher("refund", proposers, LimitSettings.model_validate(limits), at_once=10, calls=2)


def test_requests_that_come_together_go_together_and_each_has_its_own_answer() -> None:
    proposers = Proposers()

    async def run() -> list[object]:
        subjects = ["A", "NOPE", *map(str, range(23))]
        door = batcher(proposers)
        calls = (door.decide(wanted(subject)) for subject in subjects)
        return list(await asyncio.gather(*calls, return_exceptions=True))

    answers = asyncio.run(run())
    assert proposers.sizes == [10, 10, 5]
    assert [one.decision_id for one in answers if isinstance(one, Made)] == ["A", *map(str, range(23))]
    assert [one.status for one in answers if isinstance(one, DoorError)] == [404]


def test_a_call_that_died_is_made_again() -> None:
    proposers = Proposers(dying=3)
    assert asyncio.run(batcher(proposers).decide(wanted("A"))).decision_id == "A"
    assert proposers.sizes == [1, 1, 1, 1]


def test_a_proposer_that_is_not_there_in_time_is_503_or_504() -> None:
    with pytest.raises(DoorError) as refused:
        asyncio.run(batcher(Proposers(dying=1_000), decide_s=0.3).decide(wanted("A")))
    assert refused.value.status in (503, 504)


def test_what_takes_too_long_is_504_and_says_that_it_may_be_decided() -> None:
    with pytest.raises(DoorError, match="504") as refused:
        asyncio.run(batcher(Proposers(takes_s=5), decide_s=0.05).decide(wanted("A")))
    assert "may be decided" in refused.value.hint


def test_where_too_many_wait_more_are_refused_at_once() -> None:
    async def run() -> list[object]:
        door = batcher(Proposers(takes_s=0.05), waiting=30)
        calls = (door.decide(wanted(str(number))) for number in range(60))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    answers = asyncio.run(run())
    refused = [one for one in answers if isinstance(one, DoorError)]
    assert {one.status for one in refused} == {503}
    assert refused[0].headers == {"Retry-After": "1"}
    assert len([one for one in answers if isinstance(one, Made)]) == 30
