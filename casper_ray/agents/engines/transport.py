"""The way of a request: counted for its case, and asked again only where the endpoint has done nothing yet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import stamina

from casper_ray.agents.engines.budget import CaseFailedError, Meter
from casper_ray.agents.engines.settings import Retries

_BUSY = (429, 503)
_CHARS_PER_TOKEN = 4


class _BusyError(Exception):
    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Retrying(httpx2.AsyncBaseTransport):
    """Asks again after a refused connection, a 429 or a 503, and after nothing else.

    A request that was read by the endpoint may have been worked on and be charged for: if its answer is lost, it is.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, retries: Retries) -> None:
        self._inner, self._retries = inner, retries

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        attempts = stamina.retry_context(
            on=self._again,
            attempts=self._retries.attempts,
            timeout=None,
            wait_initial=self._retries.wait_s,
            wait_jitter=self._retries.wait_s,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    return await self._once(request)
        except _BusyError as busy:
            return busy.response
        raise AssertionError("stamina ends with a result or an exception")

    async def _once(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.status_code in _BUSY:
            await response.aread()
            raise _BusyError(response)
        return response

    def _again(self, error: Exception) -> bool | float:
        if isinstance(error, httpx2.ConnectError):
            return True
        if not isinstance(error, _BusyError):
            return False
        said = error.response.headers.get("retry-after", "")
        if not said.isdecimal():
            return True
        return float(said) if float(said) <= self._retries.retry_after_at_most_s else False

    async def aclose(self) -> None:
        await self._inner.aclose()


class Metered(httpx2.AsyncBaseTransport):
    """One case's way to the endpoint: each request is a step, and each reply is looked at before anybody acts on it.

    seen: is given every reply's message.
    """

    def __init__(
        self, inner: httpx2.AsyncBaseTransport, meter: Meter, seen: Callable[[dict[str, Any]], None]
    ) -> None:
        self._inner, self._meter, self._seen = inner, meter, seen

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._meter.begin_step()
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        if response.status_code == httpx2.codes.OK:
            self._look(request.content, content)
        headers = {"content-type": "application/json"}
        return httpx2.Response(response.status_code, headers=headers, content=content, request=request)

    def _look(self, asked: bytes, content: bytes) -> None:
        choice, usage = _reply(content)
        message = choice["message"]
        calls = message.get("tool_calls") or []
        self._meter.took(
            prompt_tokens=_tokens(usage, "prompt_tokens", asked),
            completion_tokens=_tokens(usage, "completion_tokens", json.dumps(message).encode()),
            tool_calls=len(calls),
        )
        self._seen(message)
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            raise CaseFailedError("refused")
        if choice.get("finish_reason") == "length":
            raise CaseFailedError("cut")


def _reply(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first choice, and the usage. Raises: CaseFailedError where there is no reply in it."""
    try:
        body = json.loads(content)
        choice, usage = body["choices"][0], body.get("usage")
        if not isinstance(choice["message"], dict):
            raise TypeError("no message")
    except (ValueError, LookupError, TypeError, AttributeError):
        raise CaseFailedError("endpoint_error") from None
    return choice, usage if isinstance(usage, dict) else {}


def _tokens(usage: dict[str, Any], name: str, text: bytes) -> int:
    """As the endpoint counts them; by length where it does not say, since a budget has to end somewhere."""
    said = usage.get(name)
    if isinstance(said, int) and said > 0:
        return said
    return -(-len(text) // _CHARS_PER_TOKEN)
