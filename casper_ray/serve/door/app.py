"""The HTTP application: routes, what refusals look like, and what every route has to declare."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp

from casper_ray.serve.door.agents_routes import build_agents_router
from casper_ray.serve.door.allow import guarded_routes, note_refusal, request_id_of
from casper_ray.serve.door.audit_route import build_audit_router
from casper_ray.serve.door.body import invalid
from casper_ray.serve.door.echo_route import build_echo_router
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.headers import AnswerHeaders
from casper_ray.serve.door.health_routes import build_health_router
from casper_ray.serve.door.keys_routes import build_keys_router
from casper_ray.serve.door.limits import RequestLimits
from casper_ray.serve.door.openapi import describe
from casper_ray.serve.door.page_route import build_page_router
from casper_ray.serve.door.quick import QuickRoutes
from casper_ray.serve.door.services import Services
from casper_ray.serve.openai_api.routes import build_openai_router
from casper_ray.serve.operations.metrics_route import build_metrics_router
from casper_ray.serve.operations.observed import Observed

ROUTERS: Final[tuple[Callable[[], APIRouter], ...]] = (
    build_health_router,
    build_agents_router,
    build_audit_router,
    build_echo_router,
    build_openai_router,
    build_keys_router,
    build_page_router,
    build_metrics_router,
)
"""Who adds routes adds a line."""
_LOG = logging.getLogger(__name__)


class Door(FastAPI):
    """FastAPI whose every answer has our headers, and every request our limits, also where it is a quick route's."""

    id_is_echoed = False

    def build_middleware_stack(self) -> ASGIApp:
        services: Services = self.state.services
        routes = QuickRoutes(super().build_middleware_stack(), self.router.routes, _answered)
        limited = RequestLimits(routes, limits=services.settings.limits, audit=services.audit)
        observed = Observed(limited, services.settings.logs)
        return AnswerHeaders(observed, id_is_echoed=self.id_is_echoed)


def build_app(services: Services, *, id_is_echoed: bool = False) -> FastAPI:
    """The application over `services`. id_is_echoed: see `AnswerHeaders`.

    Raises: ValueError where a route declares neither `Allow` nor x-public.
    """
    app = Door(
        title="casper_ray",
        summary="Agents that decide on cases, over HTTP.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.id_is_echoed = id_is_echoed
    app.state.services = services
    for build in ROUTERS:
        # Flat: of `include_router` newer FastAPI makes one route, which hides the others from `_check_guarded`.
        app.router.routes.extend(build().routes)
    app.add_exception_handler(DoorError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(Exception, _broken)
    describe(app)
    _check_guarded(app)
    return app


def _check_guarded(app: FastAPI) -> None:
    open_ = [f"{route.method} {route.path}" for route in guarded_routes(app) if route.action is None]
    if open_:
        raise ValueError(f"routes without Depends(Allow(...)) or x-public: {open_}")


async def _answered(request: Request, error: Exception) -> JSONResponse:
    """What a quick route's error is answered with."""
    return await (_refused if isinstance(error, DoorError) else _broken)(request, error)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, DoorError):
        raise error
    note_refusal(request, error)
    return JSONResponse(error.body(), error.status, error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """422 that says where, and what was expected there, but not what was there."""
    if not isinstance(error, RequestValidationError):
        raise error
    return await _refused(request, invalid(error.errors()[0]))


async def _not_routed(request: Request, error: Exception) -> JSONResponse:
    """404 of no route, 405 of another method."""
    if not isinstance(error, HTTPException):
        raise error
    phrase = HTTPStatus(error.status_code).phrase.lower()
    headers = {"Allow": _methods_of(request)} if error.status_code == 405 else error.headers
    refusal = DoorError(error.status_code, phrase, "see /openapi.json", headers)
    return JSONResponse(refusal.body(), refusal.status, refusal.headers)


def _methods_of(request: Request) -> str:
    """What may be done with a path: Starlette names the methods of its first route only."""
    fitting = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in fitting for method in route.methods}))


async def _broken(request: Request, error: Exception) -> JSONResponse:
    """500 that tells nothing of the inside; the log does, by the request's id."""
    _LOG.error("request %s failed", request_id_of(request), exc_info=error)
    return await _refused(
        request,
        DoorError(500, "something went wrong here", f"request {request_id_of(request)} is in the log"),
    )
