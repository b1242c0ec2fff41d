"""What waits is done together; what fails, fails for those who wait, and for nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from casper_ray.serve.deciding.gathering import Gathering


class Work:
    """Doubles numbers when it is let; -1 is an error."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.may_end = asyncio.Event()

    async def __call__(self, items: list[int]) -> Sequence[int]:
        self.calls.append(items)
        await self.may_end.wait()
        if -1 in items:
            raise ValueError("minus one")
        return [2 * item for item in items]


def test_what_comes_while_one_call_runs_is_gathered_for_the_next() -> None:
    async def run() -> list[list[int]]:
        work = Work()
        gathering: Gathering[int, int] = Gathering(work, at_once=3)
        first = [gathering.submit(1), gathering.submit(2)]
        await asyncio.sleep(0)
        later = [gathering.submit(item) for item in range(10, 15)]
        assert gathering.waiting == 5
        work.may_end.set()
        assert await asyncio.gather(*first, *later) == [2, 4, 20, 22, 24, 26, 28]
        return work.calls

    assert asyncio.run(run()) == [[1, 2], [10, 11, 12], [13, 14]]


def test_so_many_calls_are_under_way_at_most() -> None:
    async def run() -> None:
        work = Work()
        gathering: Gathering[int, int] = Gathering(work, at_once=1, in_flight=2)
        waits = [gathering.submit(item) for item in range(5)]
        await asyncio.sleep(0.01)
        assert work.calls == [[0], [1]]
        assert gathering.oldest_s > 0
        work.may_end.set()
        await asyncio.gather(*waits)
        await asyncio.sleep(0)
        assert gathering.oldest_s == 0

    asyncio.run(run())


def test_an_error_is_everybodys_of_that_call_and_the_next_call_works() -> None:
    async def run() -> None:
        work = Work()
        work.may_end.set()
        gathering: Gathering[int, int] = Gathering(work, at_once=2)
        bad, with_it, next_one = (gathering.submit(item) for item in (-1, 1, 2))
        for wait in (bad, with_it):
            with pytest.raises(ValueError, match="minus one"):
                await wait
        assert await next_one == 4

    asyncio.run(run())


def test_who_gives_up_does_not_stop_the_others() -> None:
    async def run() -> None:
        work = Work()
        gathering: Gathering[int, int] = Gathering(work, at_once=2)
        impatient, patient = gathering.submit(1), gathering.submit(2)
        await asyncio.sleep(0)
        impatient.cancel()
        work.may_end.set()
        assert await patient == 4
        assert await gathering.submit(3) == 6

    asyncio.run(run())


class Rounds:
    """Askers who ask again as soon as they are answered, and the sizes of the calls that come of it."""

    def __init__(self, share_s: float) -> None:
        self.sizes: list[int] = []
        self.gathering: Gathering[int, int] = Gathering(self.work, at_once=64, in_flight=2, share_s=share_s)

    async def work(self, items: list[int]) -> Sequence[int]:
        self.sizes.append(len(items))
        await asyncio.sleep(0.01)
        return items

    async def ask(self, item: int, times: int) -> None:
        for _ in range(times):
            assert await self.gathering.submit(item) == item
            await asyncio.sleep(0.0001 * item)  # they do not come back at the same moment

    def of(self, askers: int, times: int) -> list[int]:
        async def run() -> None:
            await asyncio.gather(*(self.ask(item, times) for item in range(askers)))

        asyncio.run(run())
        return self.sizes


def test_calls_share_those_who_ask_again() -> None:
    asked = 32 * 20
    without, shared = Rounds(0.0).of(32, 20), Rounds(0.5).of(32, 20)
    assert sum(without) == sum(shared) == asked
    assert len(shared) < len(without)
    assert len(shared) <= 1.5 * asked / 16


def test_who_is_alone_waits_for_nobody() -> None:
    began_s = time.perf_counter()
    assert Rounds(10.0).of(1, 5) == [1] * 5
    assert time.perf_counter() - began_s < 5


def test_a_share_that_does_not_come_is_not_waited_for_longer_than_said() -> None:
    async def run() -> list[int]:
        rounds = Rounds(0.05)
        await asyncio.gather(*(rounds.gathering.submit(item) for item in range(20)))
        assert await rounds.gathering.submit(7) == 7
        return rounds.sizes

    assert asyncio.run(run()) == [10, 10, 1]
