"""What gets out of HAProxy: the door's answers as they are, and Ray Serve's refusals in the shape of the door's."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from haproxy_file import running_haproxy, written_by_ray

from casper_ray.serve.front import free_ports, haproxy_front
from casper_ray.serve.target import HttpOptions


class Door(BaseHTTPRequestHandler):
    """Answers `/404/text/plain` with 404 and that content type; HAProxy's checks with 200; POST with nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("/", 1)
        known = parts[0].isdecimal()
        body = b"as the door said it"
        self.send_response(int(parts[0]) if known else 200)
        self.send_header("Content-Type", parts[1] if known else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """As a door that dies over it."""
        self.server.posted.append(self.path)  # type: ignore[attr-defined]  # of `Server`
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """posted: the paths of requests that got no answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.posted: list[str] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """HAProxy hangs up on its checks once it has seen the status."""


@contextmanager
def fronted_door() -> Iterator[tuple[int, Server]]:
    """The port of HAProxy before a door, and the door."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with fronted(server.server_address[1]) as port:
            yield port, server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def fronted(inner_port: int) -> Iterator[int]:
    options = HttpOptions(port=free_ports(1)[0])
    with haproxy_front(options) as variables:
        file = written_by_ray(variables, options, inner_port)
        with running_haproxy(variables, file, options.port):
            yield options.port


def asked(port: int, path: str, method: str = "GET") -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Retry-After")
    finally:
        connection.close()


def status_line(port: int, text: bytes) -> bytes:
    """Of what comes back for bytes that are no request."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(text)
        with raw.makefile("rb") as answer:
            return answer.readline().rstrip()


@pytest.fixture(scope="module")
def door() -> Iterator[tuple[int, Server]]:
    with fronted_door() as door:
        yield door


@pytest.fixture
def port(door: tuple[int, Server]) -> int:
    return door[0]


@pytest.mark.parametrize("path", ["/404/application/json", "/500/application/json", "/200/text/plain"])
def test_answers_of_the_door_get_out_as_they_are(port: int, path: str) -> None:
    status, body, _ = asked(port, path)
    assert (status, body) == (int(path[1:4]), b"as the door said it")


@pytest.mark.parametrize("path", ["/404/text/plain", "/500/text/plain;%20charset=utf-8"])
def test_refusals_of_ray_serve_are_told_as_ours(port: int, path: str) -> None:
    status, body, retry = asked(port, path)
    assert (status, retry) == (503, "1")
    assert json.loads(body)["error"]["type"] == "unavailable"


@pytest.mark.parametrize("header", [b"no header", b"X: " + b"x" * 20_000, b"Content-Length: -1"])
def test_what_is_no_http_is_refused(port: int, header: bytes) -> None:
    assert status_line(port, b"GET / HTTP/1.1\r\n" + header + b"\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_headers_that_do_not_come_are_not_waited_for(port: int) -> None:
    assert status_line(port, b"GET / HTTP/1.1\r\nX:").startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(("path", "again"), [("/v1/agents/refund/decisions", True), ("/v1/keys", False)])
def test_what_must_not_be_done_twice_is_not_asked_for_again(
    door: tuple[int, Server], path: str, again: bool
) -> None:
    port, server = door
    server.posted.clear()
    with suppress(http.client.RemoteDisconnected):
        asked(port, path, "POST")
    assert (len(server.posted) > 1) is again
    assert set(server.posted) == {path}


def test_no_door_is_told_in_json() -> None:
    with fronted(free_ports(1)[0]) as port:
        status, body, retry = asked(port, "/v1/agents")
    assert (status, retry) == (503, "1")
    assert json.loads(body)["error"]["hint"] == "try again soon"
