"""Every role at every route, cell by cell. The table comes from the router: a route that is new is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from open_door import OpenDoor

from casper_ray.serve.access.principal import MAY, Action, Role
from casper_ray.serve.door.allow import Guarded, guarded_routes

PAGE = Path(__file__).parents[3] / "docs/reference/serve-access.md"
VALUES = {
    "agent": "refund",
    "decision_id": "none",
    "key_id": "key-2222222222",
    "name": "page.css",
    "model": "refund",
}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> OpenDoor:
    return OpenDoor.over(tmp_path_factory.mktemp("roles"))


def guarded(door: OpenDoor) -> list[Guarded]:
    return sorted(guarded_routes(door.app), key=lambda each: (each.path, each.method))


def cells(door: OpenDoor) -> Iterator[tuple[Guarded, Role]]:
    for route in guarded(door):
        if route.action is not Action.PUBLIC:
            yield from ((route, role) for role in Role)


def status(door: OpenDoor, route: Guarded, role: Role | None, key: str | None = None) -> int:
    path = re.sub(r"\{(\w+)\}", lambda found: VALUES[found[1]], route.path)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {} if route.method in ("POST", "PUT") else None
    return door.ask(route.method, path, role, json=body, headers=headers).status_code


def test_the_routes_of_the_contract_are_there(door: OpenDoor) -> None:
    there = {f"{route.method} {route.path}" for route in guarded(door)}
    assert there >= {
        "GET /healthz",
        "GET /readyz",
        "GET /openapi.json",
        "GET /",
        "GET /v1/agents",
        "POST /v1/agents/{agent}/decisions",
        "PUT /v1/agents/{agent}/switch",
        "GET /v1/decisions/{decision_id}",
        "GET /v1/audit",
        "POST /v1/echo",
        "GET /v1/keys",
        "POST /v1/keys",
        "POST /v1/keys/{key_id}/rotate",
        "DELETE /v1/keys/{key_id}",
    }
    assert all(route.action is not None for route in guarded(door))


def test_only_routes_without_data_are_public(door: OpenDoor) -> None:
    public = {route.path for route in guarded(door) if route.action is Action.PUBLIC}
    assert public == {"/", "/healthz", "/readyz", "/openapi.json", "/static/{name}"}


def test_a_stranger_is_refused_at_every_route_that_is_not_public(door: OpenDoor) -> None:
    strangers = [None, "crk_aaaaaaaa_short", "Bearer", "undefined"]
    for route in guarded(door):
        if route.action is Action.PUBLIC:
            assert status(door, route, None) not in (401, 403), route
        else:
            assert {status(door, route, None, key) for key in strangers} <= {401, 429}, route
            assert status(door, route, None) == 401, route


def test_every_cell_is_what_the_table_of_roles_says(door: OpenDoor) -> None:
    seen = 0
    for route, role in cells(door):
        assert route.action is not None
        answer = status(door, route, role)
        if route.action in MAY[role]:
            assert answer not in (401, 403), (route, role)
        else:
            assert answer == 403, (route, role)
        seen += 1
    assert seen >= 10 * len(Role)


def test_every_refusal_of_a_cell_is_audited_with_who_and_what(door: OpenDoor) -> None:
    for route, role in cells(door):
        if route.action in MAY[role]:
            continue
        before = len(door.noted.kept)
        status(door, route, role)
        (event,) = door.noted.kept[before:]
        assert (event.status, event.outcome, event.role) == (403, "forbidden", role)
        assert (event.action, event.route) == (route.action, route.path)
        assert event.principal.startswith("key-")
        assert event.request_id


def test_other_methods_of_a_route_are_refused(door: OpenDoor) -> None:
    paths = {route.path for route in guarded(door)}
    for path in paths:
        has = {route.method for route in guarded(door) if route.path == path}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - has:
            assert status(door, Guarded(method, path, None), Role.ADMIN) == 405, (method, path)


def table(door: OpenDoor) -> str:
    """The table of the reference page."""
    lines = [f"| route | action | {' | '.join(Role)} |", f"|---|---|{'---|' * len(Role)}"]
    for route in guarded(door):
        assert route.action is not None
        public = route.action is Action.PUBLIC
        may = ["yes" if public or route.action in MAY[role] else "no" for role in Role]
        lines.append(f"| {route.method} `{route.path}` | {route.action} | {' | '.join(may)} |")
    return "\n".join(lines)


def test_the_table_of_the_reference_page_is_the_routers(door: OpenDoor) -> None:
    there = PAGE.read_text().split("<!-- roles -->\n")[1]
    assert there.strip() == table(door)
