"""Every request is counted and timed, and may leave a line and a span: one layer around the application."""

from __future__ import annotations

import time
import zlib
from asyncio import CancelledError

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casper_ray.serve.operations.door_figures import WENT_AWAY
from casper_ray.serve.operations.instruments import DOOR
from casper_ray.serve.operations.logs import REQUEST_ID
from casper_ray.serve.operations.settings import LogSettings
from casper_ray.serve.operations.spans import SPANS


class Observed:
    """Just inside the layer that gives a request its id, outside of everything that may refuse it."""

    def __init__(self, app: ASGIApp, settings: LogSettings) -> None:
        self._app, self._settings = app, settings
        self._access = int(settings.access * 2**32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(scope.get("state", {}).get("request_id", ""))
        seen = _Seen(send)
        REQUEST_ID.set(request_id)  # to the end of the request's task: what logs an error is further outside
        DOOR.began()
        try:
            with SPANS.request(scope["headers"]) as span:
                try:
                    await self._app(scope, receive, seen.send)
                finally:
                    SPANS.named(span, scope["method"], _route(scope), seen.status)
        except CancelledError:
            seen.status = seen.status if seen.began else WENT_AWAY
            raise
        finally:
            self._tell(scope, request_id, seen)

    def _tell(self, scope: Scope, request_id: str, seen: _Seen) -> None:
        seconds, route = time.perf_counter() - seen.at, _route(scope)
        DOOR.answered(route=route, http_method=scope["method"], status=seen.status, seconds=seconds)
        if (
            seen.status >= 500
            or seconds > self._settings.slow_s
            or zlib.crc32(request_id.encode()) < self._access
        ):
            who = scope.get("state", {}).get("principal")
            structlog.get_logger().info(
                "request",
                method=scope["method"],
                route=route,
                status=seen.status,
                ms=round(seconds * 1000, 2),
                principal=who.id if who else "",
            )


class _Seen:
    """What is known of an answer on its way out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.at, self.status, self.began = time.perf_counter(), 500, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.began = message["status"], True
        await self._send(message)


def _route(scope: Scope) -> str:
    """As declared, with its parameters' names; empty: none matched. A raw path may name a customer, or be made up."""
    return getattr(scope.get("route"), "path", "")
