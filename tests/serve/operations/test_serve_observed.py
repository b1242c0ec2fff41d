"""The layer around an application, and GET /metrics through it."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Message, Receive, Scope, Send

from casper_ray.serve.operations.instruments import REGISTRY
from casper_ray.serve.operations.logs import REQUEST_ID
from casper_ray.serve.operations.metrics import exposition, snapshot
from casper_ray.serve.operations.observed import Observed
from casper_ray.serve.operations.settings import LogSettings


def build_app() -> FastAPI:
    app = FastAPI()

    @app.get("/things/{name}")
    async def thing(name: str) -> str:
        if name == "broken":
            raise RuntimeError(name)
        if name == "slow":
            await asyncio.sleep(30)
        if name == "gone":
            raise HTTPException(404)
        return REQUEST_ID.get()

    return app


async def ask(app: Any, path: str, *, method: str = "GET", wait_s: float = 10.0) -> list[Message]:
    """What an application sends for a request."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "state": {"request_id": f"r-{path}"},
    }
    await asyncio.wait_for(app(scope, receive, send), wait_s)
    return sent


def requests(**labels: str) -> float:
    """How many this process has counted so far."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(exposition([snapshot("door", "a", REGISTRY)]).decode())
        for sample in family.samples
        if sample.name == "casper_http_requests_total" and labels.items() <= sample.labels.items()
    )


def test_a_request_is_counted_by_the_route_as_declared() -> None:
    app = Observed(build_app(), LogSettings())
    before = requests(route="/things/{name}", status="200")
    for name in ("ana", "bob"):
        asyncio.run(ask(app, f"/things/{name}"))
    assert requests(route="/things/{name}", status="200") == before + 2


def test_a_path_that_is_no_route_makes_no_series() -> None:
    before = requests(route="none", status="404")
    asyncio.run(ask(Observed(build_app(), LogSettings()), "/etc/passwd"))
    assert requests(route="none", status="404") == before + 1


def test_the_request_id_is_known_while_the_request_is_worked_on() -> None:
    sent = asyncio.run(ask(Observed(build_app(), LogSettings()), "/things/ana"))
    assert json.loads(sent[1]["body"]) == "r-/things/ana"
    assert REQUEST_ID.get() == ""


def test_a_failure_is_counted_and_always_leaves_a_line(lines: io.StringIO) -> None:
    before = requests(route="/things/{name}", status="500")
    with pytest.raises(RuntimeError):
        asyncio.run(ask(Observed(build_app(), LogSettings(access=0)), "/things/broken"))
    assert requests(route="/things/{name}", status="500") == before + 1
    line = json.loads(lines.getvalue())
    assert (line["status"], line["route"], line["request_id"]) == (500, "/things/{name}", "r-/things/broken")
    assert "path" not in line


def test_a_client_that_went_away_is_no_failure_of_ours() -> None:
    before = requests(route="/things/{name}", status="499")
    with pytest.raises(TimeoutError):
        asyncio.run(ask(Observed(build_app(), LogSettings()), "/things/slow", wait_s=0.2))
    assert requests(route="/things/{name}", status="499") == before + 1


@pytest.mark.parametrize(("share", "logged"), [(0.0, 0), (1.0, 20)])
def test_the_share_of_requests_that_leave_a_line_is_configured(
    lines: io.StringIO, share: float, logged: int
) -> None:
    app = Observed(build_app(), LogSettings(access=share))
    for number in range(20):
        asyncio.run(ask(app, f"/things/{number}"))
    assert len(lines.getvalue().splitlines()) == logged


def test_a_slow_request_leaves_a_line(lines: io.StringIO) -> None:
    asyncio.run(ask(Observed(build_app(), LogSettings(access=0, slow_s=1e-9)), "/things/ana"))
    assert json.loads(lines.getvalue())["ms"] > 0


def test_what_is_no_http_passes() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def never() -> Message:
        raise AssertionError

    async def nothing(message: Message) -> None:
        raise AssertionError

    asyncio.run(Observed(app, LogSettings())({"type": "lifespan"}, never, nothing))
    assert seen == ["lifespan"]
