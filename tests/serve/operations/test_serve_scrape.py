"""The numbers of an application of several processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from casper_ray.serve.operations.metrics import Snapshot
from casper_ray.serve.operations.scrape import AskedNumbers

pytestmark = pytest.mark.ray


@pytest.fixture
def handles(local_ray: None) -> Iterator[dict[str, Any]]:
    """A deployment of two replicas that count, and one whose replica never answers."""
    from ray import serve

    @serve.deployment(name="Counting", num_replicas=2, ray_actor_options={"num_cpus": 0})
    class Counting:
        def __init__(self, silent: Any) -> None:
            self._silent = silent

        async def numbers(self) -> Any:
            from casper_ray.serve.operations.metrics import snapshot

            return snapshot("door", serve.get_replica_context().replica_id.unique_id)

    @serve.deployment(name="Silent", ray_actor_options={"num_cpus": 0})
    class Silent:
        async def numbers(self) -> None:
            await asyncio.sleep(60)

    serve.start(proxy_location="Disabled")
    serve.run(Counting.bind(Silent.bind()), name="numbers", route_prefix=None)
    yield {
        "door": serve.get_deployment_handle("Counting", "numbers"),
        "keeper:caspers": serve.get_deployment_handle("Silent", "numbers"),
    }
    serve.shutdown()


def test_a_scrape_has_every_replica_and_waits_for_none_for_long(handles: dict[str, Any]) -> None:
    numbers = AskedNumbers(handles)

    async def two_scrapes() -> list[Sequence[Snapshot]]:
        return [await asyncio.wait_for(numbers.snapshots(), 10) for _ in range(2)]

    first, second = asyncio.run(two_scrapes())
    assert {one.part for one in first} == {"door"}
    assert len({one.process for one in first}) == 2
    assert {one.process for one in second} == {one.process for one in first}
    assert set(numbers.parts) == {"door", "keeper:caspers"}
