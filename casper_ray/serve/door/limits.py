"""Limits of requests: bytes, nesting, and the time that a body and an answer may take."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casper_ray.serve.audit import AuditEvent
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.json_depth import is_deeper
from casper_ray.serve.door.request_shape import announced_body, checked_target, too_large
from casper_ray.serve.door.services import Audit
from casper_ray.serve.settings import LimitSettings


class RequestLimits:
    """ASGI middleware: what is beyond the limits is refused before a route sees it, and audited.

    Bodies are read here, whole: so one that comes a byte a second holds no route, no case and no other request up.
    """

    def __init__(self, app: ASGIApp, *, limits: LimitSettings, audit: Audit) -> None:
        self._app, self._limits, self._audit = app, limits, audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self._limited(scope, receive, answer)
        except DoorError as error:
            await self._refuse(error, scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        method, limits = scope["method"], self._limits
        checked_target(method, scope.get("raw_path") or scope["path"].encode(), scope["query_string"])
        reading = announced_body(method, scope["headers"], limits.body_bytes).there
        try:
            # One timer that is set again, not two: they cost more than all that is looked at here.
            async with asyncio.timeout(limits.body_s if reading else limits.request_s) as deadline:
                if reading:
                    body = await self._read(receive)
                    if body is None:
                        return
                    receive, reading = _Replay(body, receive), False
                    deadline.reschedule(asyncio.get_running_loop().time() + limits.request_s)
                await self._app(scope, receive, answer)
        except TimeoutError:
            if answer.begun or not deadline.expired():
                raise
            raise self._late(reading=reading) from None

    def _late(self, *, reading: bool) -> DoorError:
        if not reading:
            return DoorError(504, "the answer took too long", f"{self._limits.request_s:g} s at most")
        return DoorError(
            408,
            "the body took too long to come",
            f"{self._limits.body_s:g} s at most",
            {"Connection": "close"},
        )

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; None: whoever sent it has left."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size > self._limits.body_bytes:
                raise too_large(self._limits.body_bytes)
            parts.append(part)
            if not message.get("more_body", False):
                return self._shallow(parts[0] if len(parts) == 1 else b"".join(parts))

    def _shallow(self, body: bytes) -> bytes:
        if is_deeper(body, self._limits.depth):
            raise DoorError(422, "the body is nested too deeply", f"{self._limits.depth} levels at most")
        return body

    async def _refuse(self, error: DoorError, scope: Scope, receive: Receive, send: Send) -> None:
        self._audit.note(
            AuditEvent(
                at=datetime.now(UTC),
                request_id=scope.get("state", {}).get("request_id", ""),
                principal="",
                role="",
                action="",
                route="",
                status=error.status,
                outcome=error.type,
            )
        )
        await JSONResponse(error.body(), error.status, error.headers)(scope, receive, send)


class _Answer:
    """`send` that knows whether the answer has begun."""

    __slots__ = ("_send", "begun")

    def __init__(self, send: Send) -> None:
        self._send, self.begun = send, False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        await self._send(message)


class _Replay:
    """`receive` that has a body which was read before, and then whatever still comes."""

    __slots__ = ("_body", "_receive")

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
