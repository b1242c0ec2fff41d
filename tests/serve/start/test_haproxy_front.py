"""The edits of HAProxy's configuration fit the template of the Ray that is installed, and HAProxy takes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from certificate import self_signed
from haproxy_file import checked_by_haproxy, written_by_ray

from casper_ray.serve.front import haproxy_front
from casper_ray.serve.target import HttpOptions


def test_haproxy_takes_the_edited_configuration() -> None:
    http = HttpOptions(port=8123)
    with haproxy_front(http) as variables:
        file = written_by_ray(variables, http)
        checked = checked_by_haproxy(variables, file)
        text = file.read_text()
    assert checked.returncode == 0, checked.stderr + checked.stdout
    assert text.count("timeout http-request 10s") == 1
    assert text.count("503.http") == 3
    assert "500.http" not in text
    assert "not found. Ping" not in text
    assert text.count("http-response return status 503 default-errorfiles") == 1


@pytest.mark.parametrize(
    ("host", "bound"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::", "[::]")]
)
def test_haproxy_listens_where_the_door_is_to_be_and_else_on_loopback(host: str, bound: str) -> None:
    http = HttpOptions(host=host, port=8123)
    with haproxy_front(http) as variables:
        file = written_by_ray(variables, http)
        assert checked_by_haproxy(variables, file).returncode == 0
        lines = file.read_text().splitlines()
    binds = [line.split()[1] for line in lines if line.strip().startswith("bind ")]
    inner = [bind for bind in binds if not bind.endswith(":8123")]
    assert [bind for bind in binds if bind.endswith(":8123")] == [f"{bound}:8123"]
    assert len(inner) == 2
    assert all(bind.startswith("127.0.0.1:") for bind in inner)


def test_tls_ends_at_haproxy(tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    http = HttpOptions(port=8123, ssl_certfile=files.certificate, ssl_keyfile=files.key)
    with haproxy_front(http) as variables:
        file = written_by_ray(variables, http)
        checked = checked_by_haproxy(variables, file)
        (bind,) = [line for line in file.read_text().splitlines() if ":8123" in line]
    assert checked.returncode == 0, checked.stderr
    assert "ssl crt" in bind
    assert "ssl-min-ver TLSv1.2" in bind


def test_answer_of_haproxy_has_the_shape_of_every_error() -> None:
    with haproxy_front(HttpOptions()) as variables:
        folder = Path(variables["RAY_SERVE_HAPROXY_BINARY_PATH"]).parent
        head, _, body = (folder / "503.http").read_bytes().partition(b"\r\n\r\n")
        assert set(json.loads(body)["error"]) == {"type", "message", "hint"}
        assert f"Content-Length: {len(body)}".encode() in head
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_sockets_of_haproxy_fit_in_a_path() -> None:
    with haproxy_front(HttpOptions()) as variables:
        socket = Path(variables["RAY_SERVE_HAPROXY_SOCKET_PATH"])
        node, suffix = "a" * 56, ".4194304.tmp"
        assert len(str(socket.parent / node / socket.name) + suffix) < 108


@pytest.mark.parametrize("name", ["RAY_SERVE_HAPROXY_STATS_PORT", "RAY_SERVE_HAPROXY_BINARY_PATH"])
def test_two_starts_share_nothing(name: str) -> None:
    with haproxy_front(HttpOptions()) as first, haproxy_front(HttpOptions()) as second:
        assert first[name] != second[name]
