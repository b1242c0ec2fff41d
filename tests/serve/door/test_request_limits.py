"""What a request may be: everything beyond it is refused in one shape, and audited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import Request
from fastapi.routing import APIRoute
from open_door import OpenDoor

from casper_ray.serve.access.principal import Role

LIMITS = {"body_bytes": 4_096, "depth": 8}
IMPATIENT = {"body_s": 0.3, "request_s": 0.6}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> OpenDoor:
    return OpenDoor.over(tmp_path_factory.mktemp("limits"), limits=LIMITS)


def refused(door: OpenDoor, status: int, method: str, path: str, **request: Any) -> dict[str, str]:
    """The refusal, of the one shape, with one audit event that holds nothing of the request."""
    before = len(door.noted.kept)
    answer = door.ask(method, path, **request)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error: dict[str, str] = answer.json()["error"]
    assert set(error) == {"type", "message", "hint"}
    (event,) = door.noted.kept[before:]
    assert (event.status, event.outcome) == (status, error["type"])
    assert event.request_id == answer.headers["X-Request-Id"]
    return error


def test_a_body_of_the_most_bytes_is_taken_and_one_more_is_not(door: OpenDoor) -> None:
    head = b'{"a":"'
    most = head + b"x" * (4_096 - len(head) - 2) + b'"}'
    assert door.ask("POST", "/v1/echo", content=most, headers=JSON).status_code == 200
    refused(door, 413, "POST", "/v1/echo", content=most + b" ", headers=JSON)


def test_a_body_of_unsaid_length_is_counted_while_it_comes(door: OpenDoor) -> None:
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 1_024
            yield b"x" * 1_024

    refused(door, 413, "POST", "/v1/echo", content=parts(), headers=JSON)
    assert sent <= 8_192


def test_a_body_in_parts_is_taken_as_one(door: OpenDoor) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b'{"a"', b":", b"1}"):
            yield part

    assert door.ask("POST", "/v1/echo", content=parts(), headers=JSON).json() == {"a": 1}


@pytest.mark.parametrize("open_", [b"[", b'{"a":', b'[{"a":['])
def test_a_body_that_is_nested_too_deeply_is_refused_unparsed(door: OpenDoor, open_: bytes) -> None:
    refused(door, 422, "POST", "/v1/echo", content=open_ * 9, headers=JSON)


def test_brackets_in_strings_are_not_nesting(door: OpenDoor) -> None:
    assert door.ask("POST", "/v1/echo", json={"a": '["{' * 100}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_a_body_of_another_kind_is_refused(door: OpenDoor, headers: dict[str, str]) -> None:
    refused(door, 415, "POST", "/v1/echo", content=b"{}", headers=headers)


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", 'application/json; charset="UTF-8"']
)
def test_json_is_taken_however_it_is_spelled(door: OpenDoor, kind: str) -> None:
    assert door.ask("POST", "/v1/echo", content=b"{}", headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1//keys",
        "/v1/decisions/..%2f..%2fetc%2fpasswd",
        "/v1/decisions/%2e%2e",
        "/v1/decisions/a%2Fb",
        "/v1/decisions/a%5cb",
        "/v1/decisions/a%00b",
        "/v1/decisions/a%0d%0aSet-Cookie:%20a",
        "/v1/decisions/a%7f",
        "/static/..%2fpage.py",
        "/v1/decisions/" + "a" * 1_100,
        "/v1/audit?newest=" + "1" * 5_000,
    ],
)
def test_paths_that_could_be_read_in_two_ways_are_refused(door: OpenDoor, path: str) -> None:
    refused(door, 400, "GET", path)


@pytest.mark.parametrize(
    "name", ["__init__.py", "page.py", "page.html", "%252e%252e", "page.css%20", "x" * 900]
)
def test_only_the_pages_own_files_are_given(door: OpenDoor, name: str) -> None:
    assert door.ask("GET", f"/static/{name}").status_code in (400, 404)


@pytest.mark.parametrize(
    "text",
    [
        "' OR '1'='1",
        "1; DROP TABLE decisions; --",
        "a' UNION SELECT * FROM keys --",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "%27",
        "\u202e",
        "🙂" * 20,
    ],
)
def test_sql_and_templates_are_ids_that_nothing_has(door: OpenDoor, text: str) -> None:
    answers = [
        door.ask("GET", f"/v1/decisions/{quote(text, safe='')}"),
        door.ask("POST", "/v1/agents/refund/decisions", json={"subject": text}),
        door.ask("GET", "/v1/agents", headers={"Authorization": f"Bearer {text}".encode()}),
        door.ask("POST", "/v1/keys", json={"name": text, "role": "viewer"}),
    ]
    assert answers[0].status_code in (400, 404)  # 400: two slashes
    assert [answer.status_code for answer in answers[1:]] == [404, 401, 422]
    assert not any(text in answer.text for answer in answers)


@pytest.mark.parametrize("name", ["Authorization", "Content-Type", "Host", "Idempotency-Key"])
def test_a_header_that_is_there_twice_is_refused(door: OpenDoor, name: str) -> None:
    headers = [(name, "Bearer a"), (name, "Bearer b")]
    refused(door, 400, "GET", "/v1/agents", role=None, headers=headers)


def test_a_length_and_a_chunked_body_together_are_refused(door: OpenDoor) -> None:
    headers = {**JSON, "Content-Length": "2", "Transfer-Encoding": "chunked"}
    refused(door, 400, "POST", "/v1/echo", content=b"{}", headers=headers)


def test_too_many_and_too_long_headers_are_refused(door: OpenDoor) -> None:
    refused(door, 431, "GET", "/v1/agents", headers={f"X-{n}": "a" for n in range(80)})
    refused(door, 431, "GET", "/v1/agents", headers={"X-A": "a" * 20_000})


def test_methods_that_nothing_has_are_refused(door: OpenDoor) -> None:
    assert "Allow" in door.ask("TRACE", "/v1/agents").headers
    refused(door, 405, "PROPFIND", "/v1/agents")


def test_a_body_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    door = OpenDoor.over(tmp_path, limits=IMPATIENT)

    async def parts() -> AsyncIterator[bytes]:
        yield b'{"a":'
        await asyncio.sleep(30)
        yield b"1}"

    refused(door, 408, "POST", "/v1/echo", content=parts(), headers=JSON)


def test_an_answer_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    door = OpenDoor.over(tmp_path, limits=IMPATIENT)

    async def late(request: Request) -> None:
        await asyncio.sleep(30)

    door.app.router.routes.append(APIRoute("/late", late, openapi_extra={"x-public": True}))
    assert "took too long" in refused(door, 504, "GET", "/late")["message"]


def test_a_bug_tells_nothing_and_has_the_headers_of_every_answer(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    door = OpenDoor.over(tmp_path_factory.mktemp("bug"), limits=LIMITS)

    async def broken(request: Request) -> None:
        raise RuntimeError("secret-of-the-inside")

    door.app.router.routes.append(APIRoute("/bug", broken, openapi_extra={"x-public": True}))
    answer = door.ask("GET", "/bug")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"] in answer.json()["error"]["hint"]


def test_a_strangers_body_is_not_looked_at(door: OpenDoor) -> None:
    """They learn nothing of what a route takes."""
    answer = door.ask("POST", "/v1/keys", None, content=b"no json", headers=JSON)
    assert answer.status_code == 401
    assert door.ask("POST", "/v1/keys", Role.VIEWER, content=b"no json", headers=JSON).status_code == 403
