"""What every answer says of itself."""

from __future__ import annotations

import re

import pytest
from open_door import OpenDoor

from casper_ray.serve.access.principal import Role
from casper_ray.serve.door.app import build_app


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> OpenDoor:
    return OpenDoor.over(tmp_path_factory.mktemp("headers"))


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/v1/agents", "/v1/nothing", "/v1//x", "/static/page.js", "/openapi.json"]
)
@pytest.mark.parametrize("role", [None, Role.VIEWER])
def test_every_answer_forbids_browsers_what_it_does_not_need(
    door: OpenDoor, path: str, role: Role | None
) -> None:
    headers = door.ask("GET", path, role).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Server" not in headers
    assert len(headers.get_list("Content-Security-Policy")) == 1


def test_a_request_has_an_id_of_its_own(door: OpenDoor) -> None:
    ids = {door.ask("GET", "/healthz").headers["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


def test_an_id_that_came_is_kept(door: OpenDoor) -> None:
    came = {"X-Request-Id": "shop-17.order_8-try1"}
    assert door.ask("GET", "/healthz", headers=came).headers["X-Request-Id"] == "shop-17.order_8-try1"


@pytest.mark.parametrize(
    "came",
    [
        "",
        "short",
        "a" * 65,
        "with space in it",
        "semi;colon;colon",
        'quote"quote"',
        "<script>alert",
        "ä" * 12,
        "{}[]{}[]{}",
    ],
)
def test_an_id_that_could_break_a_log_is_replaced(door: OpenDoor, came: str) -> None:
    headers = [(b"x-request-id", came.encode())]
    said = door.ask("GET", "/healthz", headers=headers).headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", said)


def test_browsers_are_told_to_stay_with_tls_where_there_is_tls(door: OpenDoor) -> None:
    assert "Strict-Transport-Security" not in door.ask("GET", "/healthz").headers
    secure = door.ask("GET", "/healthz", headers={"X-Forwarded-Proto": "https"}).headers
    assert secure["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.filterwarnings(
    "ignore:Using extra keyword arguments on `Field`"
)  # Ray Serve's own, when imported
def test_ray_serve_which_echoes_the_id_does_not_make_it_two(door: OpenDoor) -> None:
    from ray.serve._private.http_util import _apply_middlewares

    app = build_app(door.app.state.services, id_is_echoed=True)
    served = OpenDoor(_apply_middlewares(app, []), door.store, door.keys, door.noted)
    ids = served.ask("GET", "/v1/agents", None).headers.get_list("X-Request-Id")
    assert ids == [door.noted.kept[-1].request_id]
    came = {"X-Request-Id": "shop-17.order_8"}
    assert served.ask("GET", "/healthz", headers=came).headers.get_list("X-Request-Id") == ["shop-17.order_8"]
