"""What the routes of agents say: statuses, headers, and errors that tell nothing they should not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from fastapi import APIRouter
from growing_lake import GrowingLake

from casper_ray.serve.access.principal import Role
from casper_ray.serve.door import app as door_app
from casper_ray.serve.door.quick import QuickRoute
from casper_ray.serve.testing import LocalServices, door_client

DECIDE = "/v1/agents/refund/decisions"
Ask = Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]


def said(services: LocalServices, *asks: Ask, role: Role | None = Role.ADMIN) -> list[httpx2.Response]:
    async def run() -> list[httpx2.Response]:
        async with door_client(services, role) as client:
            return [await ask(client) for ask in asks]

    return asyncio.run(run())


def decide(subject: object, **headers: str) -> Ask:
    return lambda client: client.post(
        DECIDE, json={"subject": subject}, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def test_a_key_sent_again_gets_the_same_answer_and_another_body_a_conflict(
    services: LocalServices, lake: GrowingLake
) -> None:
    one, two = lake.delivered()[:2]
    key = {"Idempotency_Key": "0f5e-1"}
    first, again, other = said(services, decide(one, **key), decide(one, **key), decide(two, **key))
    assert [each.status_code for each in (first, again, other)] == [200, 200, 409]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.text == first.text
    assert other.json()["error"]["type"] == "conflict"


def test_a_key_is_its_owners_alone(services: LocalServices, lake: GrowingLake) -> None:
    one, two = lake.delivered()[:2]
    (first,) = said(services, decide(one, Idempotency_Key="k"), role=Role.OPERATOR)
    (second,) = said(services, decide(two, Idempotency_Key="k"), role=Role.SUPERVISOR)
    assert (first.status_code, second.status_code) == (200, 200)


@pytest.mark.parametrize(
    "body",
    [
        b"{{",
        b"",
        b"[]",
        b'{"subject": 7}',
        b'{"subject": ""}',
        b'{"subject": "A\\u0000B"}',
        b'{"subjekt": "SECRET-1"}',
    ],
)
def test_a_body_that_does_not_fit_is_422_and_is_not_quoted(services: LocalServices, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    (answer,) = said(services, lambda client: client.post(DECIDE, content=body, headers=headers))
    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "invalid"
    assert "SECRET" not in answer.text


def test_a_stranger_is_refused_before_the_body_is_looked_at(services: LocalServices) -> None:
    headers = {"Content-Type": "application/json"}
    (answer,) = said(services, lambda client: client.post(DECIDE, content=b"{{", headers=headers), role=None)
    assert answer.status_code == 401


def test_refusals_are_in_the_audit_log_within_two_seconds(services: LocalServices, lake: GrowingLake) -> None:
    async def run() -> list[dict[str, object]]:
        async with door_client(services, Role.VIEWER) as client:
            assert (await client.post(DECIDE, json={"subject": "X"})).status_code == 403
        async with door_client(services, Role.AUDITOR) as client:
            await asyncio.sleep(2)
            found: list[dict[str, object]] = (await client.get("/v1/audit?newest=5")).json()["events"]
            return found

    (event,) = asyncio.run(run())
    assert (event["status"], event["outcome"], event["principal"]) == (403, "forbidden", "test-viewer")
    assert (event["route"], event["agent"]) == ("/v1/agents/{agent}/decisions", "refund")
    assert event["request_id"]


def test_a_thrown_switch_is_seen_audited_and_honoured(services: LocalServices, lake: GrowingLake) -> None:
    switch: Ask = lambda client: client.put("/v1/agents/refund/switch", json={"off": True})  # noqa: E731
    listed: Ask = lambda client: client.get("/v1/agents")  # noqa: E731
    thrown, agents, decided = said(services, switch, listed, decide(lake.delivered()[0]))
    assert thrown.json() == {"agent": "refund", "off": True}
    assert agents.json()["agents"][0]["off"] is True
    assert decided.json()["gate_reasons"] == ["kill_switch"]


def test_a_bug_is_500_with_the_requests_id_and_its_trace_is_only_in_the_log(
    services: LocalServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.proposers["refund"].close()  # nothing can be proposed any more
    with caplog.at_level(logging.ERROR):
        (answer,) = said(services, decide("A", X_Request_Id="seen-in-the-log-1"))
    assert answer.status_code == 500
    assert "seen-in-the-log-1" in answer.json()["error"]["hint"]
    assert "Traceback" not in answer.text
    assert "seen-in-the-log-1" in caplog.text


def test_a_route_that_declares_nobody_stops_the_start(
    services: LocalServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_open_router() -> APIRouter:
        router = APIRouter()

        @router.get("/v1/open")
        async def open_to_all() -> dict[str, str]:
            return {}

        return router

    monkeypatch.setattr(door_app, "ROUTERS", (*door_app.ROUTERS, build_open_router))
    with pytest.raises(ValueError, match="GET /v1/open"):
        door_app.build_app(services)


def test_a_quick_route_that_wants_more_than_it_gets_is_refused() -> None:
    router = APIRouter(route_class=QuickRoute)
    with pytest.raises(ValueError, match="/v1/wants"):

        @router.get("/v1/wants")
        async def wants(newest: int) -> dict[str, int]:
            return {"newest": newest}
