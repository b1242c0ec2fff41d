"""Clients that send a byte now and then: given up in time, while others are answered as ever."""

from __future__ import annotations

import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from open_door import OpenDoor

from casper_ray.serve.access.principal import Role

SLOW = 40
LIMITS = {"body_s": 1.0, "body_bytes": 4_096}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> OpenDoor:
    return OpenDoor.over(tmp_path_factory.mktemp("slow"), limits=LIMITS)


def head(door: OpenDoor, *more: str) -> bytes:
    lines = ["POST /v1/echo HTTP/1.1", "Host: door", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, f"Authorization: Bearer {door.keys[Role.VIEWER]}", "", ""]).encode()


def dripped(port: int, start: bytes) -> tuple[bytes, float]:
    """The answer to a body that comes a byte at a time, and after how many seconds it was there."""
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        began = time.monotonic()
        client.sendall(start)
        client.settimeout(0.1)
        while True:
            try:
                client.sendall(b" ")
                answer = client.recv(65_536)
            except TimeoutError:
                continue
            return answer, time.monotonic() - began


def test_slow_bodies_are_given_up_while_others_are_answered(door: OpenDoor) -> None:
    with door.served() as port, ThreadPoolExecutor(SLOW) as threads:
        slow = [threads.submit(dripped, port, head(door, "Content-Length: 4000")) for _ in range(SLOW)]
        time.sleep(0.3)
        took = []
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(20):
            began = time.monotonic()
            client.request("GET", "/v1/agents", headers=door.headers(Role.VIEWER))
            assert client.getresponse().read()
            took.append(time.monotonic() - began)
        client.close()
        answers = [each.result() for each in slow]
    assert all(answer.startswith(b"HTTP/1.1 408") for answer, _ in answers)
    assert all(0.9 < seconds < 8 for _, seconds in answers)
    assert sorted(took)[10] < 0.5


def answered(port: int, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(text)
        return client.recv(65_536)


def test_a_body_that_says_that_it_is_too_large_is_refused_before_it_comes(door: OpenDoor) -> None:
    with door.served() as port:
        answer = answered(port, head(door, "Content-Length: 100000000"))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    "line",
    [
        "X-Request-Id: abcdefgh\r\nX-Forged: 1",
        "X-A: a\x00b",
        "X-Request-Id: abcdefgh\rSet-Cookie: a=b",
        "X-A: a\x0bb\x7f",
    ],
)
def test_headers_with_control_characters_reach_no_answer(door: OpenDoor, line: str) -> None:
    with door.served() as port:
        answer = answered(port, head(door, line, "Content-Length: 2") + b"{}")
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 200"))
    assert b"set-cookie" not in answer.lower()
    assert b"x-forged" not in answer.lower()


@pytest.mark.parametrize("path", ["//v1/keys", "/v1/../v1/keys", "/static/..", "/./v1/keys", "/v1/a\\b"])
def test_paths_that_clients_would_tidy_up_are_refused_as_they_come(door: OpenDoor, path: str) -> None:
    with door.served() as port:
        answer = answered(port, f"GET {path} HTTP/1.1\r\nHost: door\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400")


def test_two_requests_in_one_are_not_smuggled(door: OpenDoor) -> None:
    """A length and a chunked body: two readers would see two different ends."""
    start = head(door, "Content-Length: 6", "Transfer-Encoding: chunked")
    with door.served() as port:
        answer = answered(port, start + b"0\r\n\r\nGET /v1/keys HTTP/1.1\r\nHost: door\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1
