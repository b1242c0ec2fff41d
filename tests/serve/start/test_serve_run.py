"""`casper serve` as a person runs it: it comes up with TLS, decides, tells its status, and ends in order."""

from __future__ import annotations

import json
import re
import signal
import ssl
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from certificate import Files, self_signed
from children import CASPER, Children
from coming_up import until
from growing_lake import GrowingLake

from casper_ray.config_files import configs_dir
from casper_ray.serve.front import free_ports

pytestmark = [pytest.mark.ray, pytest.mark.cli]
RAY_SESSIONS = Path("/tmp/ray")


def written_target(folder: Path, lake: GrowingLake, files: Files) -> tuple[Path, str]:
    """The refund agent over a lake, with TLS; and where it will be."""
    raw = yaml.safe_load((configs_dir() / "serve" / "local.yml").read_text())
    (port,) = free_ports(1)
    tls = {"ssl_certfile": str(files.certificate), "ssl_keyfile": str(files.key)}
    raw["http_options"] = {"host": "127.0.0.1", "port": port, **tls}
    logs = {"access": 1.0}
    raw["applications"][0]["args"] = {
        "lake": str(lake.catalog.lake),
        "agents": {"refund": {}},
        "logs": logs,
    }
    target = folder / "refund.yml"
    target.write_text(yaml.safe_dump(raw))
    return target, f"https://127.0.0.1:{port}"


class Client:
    """Requests with the key that the start told, over TLS that it checks."""

    def __init__(self, url: str, key: str, certificate: Path) -> None:
        self._url, self._key = url, key
        self._tls = ssl.create_default_context(cafile=str(certificate))

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=60, context=self._tls) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found


def log_lines(driver_pid: int) -> list[dict[str, Any]]:
    """What the replicas of a start wrote to stderr, as JSON where it is some. Ray's folder has the driver's id."""
    lines = []
    for file in RAY_SESSIONS.glob(f"session_*_{driver_pid}/logs/worker-*.err"):
        lines += [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]
    return lines


def with_library(driver_pid: int, part: str) -> list[str]:
    """Titles of a start's processes that have loaded a library of such a path."""
    start, found = psutil.Process(driver_pid), list[str]()
    for process in (start, *start.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if any(part in mapped.path for mapped in process.memory_maps()):
                found.append(" ".join(process.cmdline()))
    return found


def asked_until_gone(client: Client, told: list[tuple[int, set[str]]]) -> None:
    """Status and keys of answers, one after the other, until nobody listens any more."""
    while True:
        try:
            told.append((200, set(client.ask("/v1/echo", {"said": "here"}))))
        except urllib.error.HTTPError as error:
            told.append((error.code, set(json.loads(error.read()))))
        except OSError:
            return


def test_start_decides_over_tls_tells_its_status_and_ends_in_order(tmp_path: Path, lake: GrowingLake) -> None:
    children, files = Children(ray_address=None), self_signed(tmp_path)
    target, url = written_target(tmp_path, lake, files)
    named = ("-t", str(target))
    with children.started(*CASPER, "serve", *named, "--json") as running:
        subject = until(running, lambda: re.search(r'"subject": "(\w+)"', running.err.read_text()))[1]
        key = until(running, lambda: re.search(r"KEY=(crk_\S+)", running.err.read_text()))[1]
        client = Client(url, key, files.certificate)
        assert [one["agent"] for one in client.ask("/v1/agents")["agents"]] == ["refund"]
        decided = client.ask("/v1/agents/refund/decisions", {"subject": subject})
        assert decided["case_id"] == f"order:{subject}"

        asked = [line for line in log_lines(running.process.pid) if line["event"] == "request"]
        assert {(line["part"], line["route"], line["status"]) for line in asked} >= {
            ("door", "/v1/agents", 200),
            ("door", "/v1/agents/{agent}/decisions", 200),
        }
        assert all(line["request_id"] and line["principal"] for line in asked if line["route"] != "/readyz")
        assert key not in json.dumps(asked)

        assert any("ServeController" in title for title in with_library(running.process.pid, "/ray/_raylet"))
        assert with_library(running.process.pid, "/pandas/_libs/") == []

        status = children.run(*CASPER, "serve", "status", *named, "--json").summary
        assert status["ready"]
        assert {one["health"] for one in status["deployments"].values()} == {"HEALTHY"}
        assert key not in json.dumps(status) + (lake.catalog.state / "serve.json").read_text()

        again = children.run(*CASPER, "serve", *named, "--port", str(free_ports(1)[0]))
        assert again.code == 2
        assert "decides for it since" in again.err

        answers: list[tuple[int, set[str]]] = []
        asking = threading.Thread(target=asked_until_gone, args=(client, answers))
        asking.start()
        assert children.run(*CASPER, "serve", "stop", *named, "--json").summary["stopped"]
        ended = running.wait()
        asking.join()
        assert running.left_behind() == []
    assert (ended.code, ended.summary["ended"]) == (0, "asked to end")
    assert ended.summary["agents"] == ["refund"]
    assert "Traceback" not in ended.err
    assert key not in ended.out
    assert answers[0][0] == 200
    refused = [answer for answer in answers if answer[0] != 200]
    assert all(answer == (503, {"error"}) for answer in refused), refused


def test_ctrl_c_ends_a_start_that_is_not_up_yet(tmp_path: Path, lake: GrowingLake) -> None:
    target, _ = written_target(tmp_path, lake, self_signed(tmp_path))
    with Children(ray_address=None).started(*CASPER, "serve", "-t", str(target)) as running:
        until(running, lambda: "Ray starts" in running.out.read_text())
        running.signal_group(signal.SIGINT)
        ended = running.wait()
        assert running.left_behind() == []
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert not (lake.catalog.state / "serve.json").exists()
