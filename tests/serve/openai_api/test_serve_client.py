"""The typed client against a door that listens."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from decimal import Decimal

import httpx2
import pytest

from casper_ray.serve.client import AsyncClient, Client, ServeError


@pytest.fixture
def client(door: str) -> Iterator[Client]:
    with Client(door, "key-of-admin") as client:
        yield client


def test_it_lists_the_agents(client: Client) -> None:
    (agent,) = client.agents()
    assert (agent.agent, agent.kind, agent.off) == ("refund", "order", False)


def test_it_decides_and_finds_the_decision_again(client: Client) -> None:
    made = client.decide("refund", "AAA020")
    assert made.case_id == "order:AAA020"
    assert isinstance(made.amount, Decimal)
    assert client.decision(made.decision_id) == made
    assert client.decide("refund", "AAA020") == made.model_copy(update={"replayed": True})


def test_a_key_that_was_used_for_another_case_is_a_conflict(client: Client) -> None:
    client.decide("refund", "AAA021", idempotency_key="once")
    with pytest.raises(ServeError) as refused:
        client.decide("refund", "AAA022", idempotency_key="once")
    assert (refused.value.status, refused.value.type) == (409, "conflict")


def test_it_throws_the_kill_switch(client: Client) -> None:
    assert client.switch("refund", off=True).off
    assert client.decide("refund", "AAA023").gate_action == "queued"
    assert not client.switch("refund", off=False).off


def test_it_tells_what_is_ready_and_echoes(client: Client) -> None:
    assert client.ready().ready
    assert client.echo({"a": [1, "é"]}) == {"a": [1, "é"]}


def test_a_strange_id_stays_one_part_of_the_path(client: Client) -> None:
    for strange in ("../agents", "a/b", "x?y=1", "%2e%2e"):
        with pytest.raises(ServeError) as refused:
            client.decision(strange)
        assert refused.value.status in (400, 404)


def test_it_makes_rotates_and_revokes_keys(client: Client) -> None:
    made = client.make_key("shop floor", "operator", expires_s=3600)
    again = client.rotate_key(made.id, overlap_s=5)
    assert again.key != made.key
    assert client.revoke_key(made.id).revoked is not None
    told = client.keys()
    assert made.id in [key.id for key in told]


def test_the_audit_log_has_what_was_refused(client: Client, door: str) -> None:
    with Client(door, "key-of-viewer") as viewer, pytest.raises(ServeError, match="403 forbidden"):
        viewer.audit()
    assert any(event.action == "decide" and event.status == 200 for event in client.audit(newest=1000))


def test_the_async_client_does_the_same(door: str) -> None:
    async def ask() -> tuple[str, str, bool]:
        async with AsyncClient(door, "key-of-operator") as client:
            made, again = await asyncio.gather(
                client.decide("refund", "AAA024"), client.decide("refund", "AAA024")
            )
            assert [agent.agent for agent in await client.agents()] == ["refund"]
            return made.decision_id, again.decision_id, made.replayed != again.replayed

    first, second, one_was_replayed = asyncio.run(ask())
    assert first == second
    assert one_was_replayed


def test_the_key_is_in_no_text_of_the_client(client: Client) -> None:
    assert "key-of-admin" not in repr(client) + repr(vars(client))


def test_errors_survive_pickling() -> None:
    error = ServeError(429, "rate_limited", "too much", "wait", "r1", 2.0)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.retry_after_s) == (str(error), 2.0)


def busy(times: int) -> tuple[httpx2.MockTransport, list[str]]:
    """A door that is busy so many times, and what it was asked."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.method)
        body = {"error": {"type": "unavailable", "message": "busy", "hint": ""}}
        if len(asked) <= times:
            return httpx2.Response(503, json=body, headers={"Retry-After": "0", "X-Request-Id": "r7"})
        return httpx2.Response(200, json={"agents": []})

    return httpx2.MockTransport(answer), asked


def test_reads_are_asked_again() -> None:
    transport, asked = busy(2)
    with Client("http://door", "k", transport=transport) as client:
        assert client.agents() == ()
    assert asked == ["GET"] * 3


def test_reads_are_not_asked_for_ever() -> None:
    transport, asked = busy(99)
    with (
        Client("http://door", transport=transport, attempts=3) as client,
        pytest.raises(ServeError) as refused,
    ):
        client.agents()
    assert (refused.value.request_id, len(asked)) == ("r7", 3)


def test_what_decides_or_switches_is_asked_once() -> None:
    transport, asked = busy(99)
    with Client("http://door", transport=transport) as client:
        for ask in (lambda: client.decide("refund", "A"), lambda: client.switch("refund", off=True)):
            with pytest.raises(ServeError, match="503"):
                ask()
    assert asked == ["POST", "PUT"]


def test_a_door_that_is_not_there_is_unreachable() -> None:
    with Client("http://127.0.0.1:9", attempts=1) as client, pytest.raises(ServeError) as refused:
        client.ready()
    assert (refused.value.status, refused.value.type) == (0, "unreachable")


def test_something_else_that_answers_is_told_apart() -> None:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(404, text="<html>"))
    with (
        Client("http://elsewhere", transport=transport) as client,
        pytest.raises(ServeError, match="no door"),
    ):
        client.agents()
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={"other": 1}))
    with (
        Client("http://elsewhere", transport=transport) as client,
        pytest.raises(ServeError, match="not_understood"),
    ):
        client.agents()
