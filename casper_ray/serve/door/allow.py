"""Which action a route is: declared beside it, checked before it runs, and read back for the table of roles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute

from casper_ray.serve.access.principal import Action, Principal
from casper_ray.serve.audit import AuditEvent
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Services

REQUEST_ID = "X-Request-Id"


class Allow:
    """A route's dependency, `Depends(Allow(Action.DECIDE))`: the principal, if it may.

    Raises: DoorError: 401, 403, 429.
    """

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, request: Request) -> Principal:
        request.state.action = self.action
        known = await services_of(request).access.principal(request.headers.get("authorization"))
        request.state.principal = known
        if not known.may(self.action):
            raise DoorError(403, f"role {known.role} may not {self.action.replace('_', ' ')}")
        return known


class Guarded(NamedTuple):
    """One method of one route, and what it is."""

    method: str
    path: str
    action: Action | None


def guarded_routes(app: FastAPI) -> Iterator[Guarded]:
    """Every route with every method. action: None: nobody declared one, which `build_app` refuses."""
    for route in app.routes:
        if not isinstance(route, APIRoute):
            yield Guarded("", str(getattr(route, "path", route)), None)
            continue
        found = [d.call.action for d in route.dependant.dependencies if isinstance(d.call, Allow)]
        public = (route.openapi_extra or {}).get("x-public")
        action = Action.PUBLIC if public else found[0] if found else None
        for method in sorted(route.methods or ()):
            yield Guarded(method, route.path, action)


def services_of(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def request_id_of(request: Request) -> str:
    """As the response's header says it; set by the outermost middleware."""
    return str(getattr(request.state, "request_id", ""))


def note_refusal(request: Request, error: DoorError) -> None:
    """Have the refusal of a guarded route's request kept."""
    action: Action | None = getattr(request.state, "action", None)
    if action is not None:
        services_of(request).audit.note(_event(request, action, error.status, error.type))


def note_done(request: Request, action: Action, who: Principal, outcome: str) -> None:
    """Have something kept that was done and is no decision, such as a switch that was thrown."""
    request.state.principal = who
    services_of(request).audit.note(_event(request, action, 200, outcome))


def _event(request: Request, action: Action, status: int, outcome: str) -> AuditEvent:
    route = request.scope.get("route")
    who: Principal | None = getattr(request.state, "principal", None)
    return AuditEvent(
        at=datetime.now(UTC),
        request_id=request_id_of(request),
        principal=who.id if who else "",
        role=who.role if who else "",
        action=action,
        route=route.path if isinstance(route, APIRoute) else "",
        status=status,
        outcome=outcome,
        agent=request.path_params.get("agent", "")[:40],
    )
