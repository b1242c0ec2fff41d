"""GET /metrics of a door that decides: what is asked of it is in its numbers."""

from __future__ import annotations

import asyncio

import pytest
from growing_lake import GrowingLake
from prometheus_client.parser import text_string_to_metric_families

from casper_ray.serve.access.principal import Role
from casper_ray.serve.testing import LocalServices, door_client

DECIDE = "/v1/agents/refund/decisions"


@pytest.fixture
def some_subjects(lake: GrowingLake) -> list[str]:
    return lake.delivered()[:10]


async def numbers(services: LocalServices) -> dict[str, float]:
    """Sums over labels, by sample."""
    async with door_client(services, Role.VIEWER) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


async def deciding(services: LocalServices, subjects: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """The numbers before and after."""
    before = await numbers(services)
    async with door_client(services) as client:
        asked = (client.post(DECIDE, json={"subject": subject}) for subject in subjects)
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
    return before, await numbers(services)


def test_decisions_stages_and_events_are_counted(services: LocalServices, some_subjects: list[str]) -> None:
    before, after = asyncio.run(deciding(services, some_subjects))
    grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
    assert grown["casper_decisions_total"] == len(some_subjects)
    assert grown["casper_audit_events_total"] == len(some_subjects)
    assert grown["casper_http_requests_total"] == len(some_subjects) + 1  # and the scrape before
    assert grown["casper_group_cases_sum"] == 3 * len(some_subjects)  # proposed, judged, committed
    assert after["casper_waiting_requests"] == 0
    assert after["casper_lake_batch"] >= 0


def test_what_was_decided_before_is_no_new_decision(
    services: LocalServices, some_subjects: list[str]
) -> None:
    asyncio.run(deciding(services, some_subjects))
    before, after = asyncio.run(deciding(services, some_subjects))
    assert after["casper_decisions_total"] == before["casper_decisions_total"]
    assert after["casper_decisions_replayed_total"] - before["casper_decisions_replayed_total"] == len(
        some_subjects
    )


def test_who_may_not_see_numbers_sees_none(services: LocalServices) -> None:
    async def status() -> int:
        async with door_client(services, None) as client:
            return (await client.get("/metrics")).status_code

    assert asyncio.run(status()) == 401
