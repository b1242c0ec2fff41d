"""What every answer says of itself: the request's id, and what a browser must not do with it."""

from __future__ import annotations

import re
import uuid
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SANE: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_PLAIN: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_SECURE: Final = (*_PLAIN, (b"strict-transport-security", b"max-age=31536000"))


class AnswerHeaders:
    """ASGI middleware, the outermost one. A route that sets one of the headers itself keeps its own.

    request.state.request_id: the X-Request-Id that came, if it is a sane one, else a new one.
    id_is_echoed: whoever calls us says the id that came anyway, as Ray Serve does; not to be said twice.
    """

    def __init__(self, app: ASGIApp, *, id_is_echoed: bool = False) -> None:
        self._app, self._id_is_echoed = app, id_is_echoed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came = dict(scope["headers"])
        request_id = _request_id(came.get(b"x-request-id"))
        said = self._id_is_echoed and request_id == came.get(b"x-request-id")
        scope["state"] = {**scope.get("state", {}), "request_id": request_id.decode()}
        secure = scope.get("scheme") == "https" or came.get(b"x-forwarded-proto") == b"https"
        await self._app(scope, receive, _Headed(send, None if said else request_id, secure))


class _Headed:
    """`send` that puts the headers on."""

    __slots__ = ("_added", "_send")

    def __init__(self, send: Send, request_id: bytes | None, secure: bool) -> None:
        self._send = send
        self._added = _SECURE if secure else _PLAIN
        if request_id:
            self._added = (*self._added, (b"x-request-id", request_id))

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            there = {name for name, _ in headers}
            headers += [pair for pair in self._added if pair[0] not in there]
            message = {**message, "headers": headers}
        await self._send(message)


def _request_id(came: bytes | None) -> bytes:
    return came if came and _SANE.fullmatch(came) else uuid.uuid4().hex.encode()
