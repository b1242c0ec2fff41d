"""Routes that are called without FastAPI's machinery, which cost half of what a request took.

They are FastAPI's routes all the same: in the OpenAPI document, in the table of roles, and to whoever lists routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from casper_ray.serve.door.allow import Allow

OnError = Callable[[Request, Exception], Awaitable[Response]]


class QuickRoute(APIRoute):
    """A route whose endpoint takes `request`, `who` (its `Depends(Allow(...))`) and the path's parameters, as text.

    Whatever else it wants it reads from the request itself, and says so in `openapi_extra`.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **declared: Any) -> None:
        super().__init__(path, endpoint, **declared)
        allows = [d.call for d in self.dependant.dependencies if isinstance(d.call, Allow)]
        if len(allows) != 1 or self.dependant.query_params or self.dependant.header_params:
            raise ValueError(f"{path}: a quick route takes request, who and the path's parameters")
        self._allow = allows[0]

    async def answer(self, request: Request) -> Response:
        """Raises: what its endpoint raises."""
        who = await self._allow(request)
        made: Response = await self.endpoint(request=request, who=who, **request.path_params)
        return made


class QuickRoutes:
    """ASGI: the quick ones of some routes by themselves, everything else by `app`. on_error: the app's own answer."""

    def __init__(self, app: ASGIApp, routes: Sequence[Any], on_error: OnError) -> None:
        self._app, self._on_error = app, on_error
        self._routes = [route for route in routes if isinstance(route, QuickRoute)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for route in self._routes:
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    await self._answered(route, scope, receive, send)
                    return
        await self._app(scope, receive, send)

    async def _answered(self, route: QuickRoute, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await route.answer(request)
        except Exception as error:
            response = await self._on_error(request, error)
        await response(scope, receive, send)
