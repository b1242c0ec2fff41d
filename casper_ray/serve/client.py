"""A client of the door, sync and async.

Only reads are asked again after a failure. A decision that got no answer is asked for again by the caller, with the
same `idempotency_key`: then it is made at most once.
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx2
import stamina

from casper_ray.serve import client_calls as calls
from casper_ray.serve.client_answers import Decision, Event, Ready, ServedAgent, ServeError, Switched
from casper_ray.serve.client_calls import Call

__all__ = ["AsyncClient", "Client", "Decision", "Event", "Ready", "ServeError", "ServedAgent", "Switched"]

T = TypeVar("T")
_BUSY: Final = (429, 502, 503, 504)
_WAITS_AT_MOST_S: Final = 30.0


class _Common:
    """What both clients know: where the door is, and when to ask again. The key is in no text of theirs."""

    def __init__(self, base_url: str, *, attempts: int) -> None:
        self.base_url, self._attempts = base_url.rstrip("/"), attempts

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def _retries(self, call: Call[Any]) -> Any:
        attempts = self._attempts if call.repeatable else 1
        return stamina.retry_context(
            on=_again, attempts=attempts, timeout=None, wait_initial=0.2, wait_max=5.0
        )


class Client(_Common):
    """Calls the door at `base_url`, such as https://agents.example:8000, as whoever the key stands for.

    timeout_s: of one request. attempts: of a read. ca_file: certificates of who signed the door's own.
    """

    def __init__(
        self,
        base_url: str,
        key: str = "",
        *,
        timeout_s: float = 60.0,
        attempts: int = 4,
        ca_file: str | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        super().__init__(base_url, attempts=attempts)
        self._http = httpx2.Client(
            base_url=self.base_url,
            headers=_headers(key),
            timeout=timeout_s,
            verify=_trusted(ca_file),
            transport=transport,
            trust_env=False,
        )

    def agents(self) -> list[ServedAgent]:
        """The agents that are served."""
        return self._asked(calls.agents())

    def decide(self, agent: str, subject: str, *, idempotency_key: str = "") -> Decision:
        """The decision on a case. idempotency_key: empty: one of its own. Never asked twice by itself."""
        return self._asked(calls.decide(agent, subject, idempotency_key or new_key()))

    def decision(self, decision_id: str) -> Decision:
        """A decision that was made."""
        return self._asked(calls.decision(decision_id))

    def switch(self, agent: str, *, off: bool) -> Switched:
        """Throw an agent's kill switch, or put it back."""
        return self._asked(calls.switch(agent, off))

    def ready(self) -> Ready:
        """Which parts can work now."""
        return self._asked(calls.ready())

    def audit(self, newest: int = 100) -> list[Event]:
        """The newest audit events first."""
        return self._asked(calls.audit(newest))

    def echo(self, body: Mapping[str, Any]) -> Any:
        """What was sent."""
        return self._asked(calls.echo(body))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, call: Call[T]) -> T:
        for attempt in self._retries(call):
            with attempt:
                try:
                    return call.answer(self._http.request(**_arguments(call)))
                except httpx2.TransportError as error:
                    raise calls.unanswered(error) from error
        raise AssertionError("stamina ends with a result or an exception")


class AsyncClient(_Common):
    """As `Client`, for asyncio."""

    def __init__(
        self,
        base_url: str,
        key: str = "",
        *,
        timeout_s: float = 60.0,
        attempts: int = 4,
        ca_file: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(base_url, attempts=attempts)
        self._http = httpx2.AsyncClient(
            base_url=self.base_url,
            headers=_headers(key),
            timeout=timeout_s,
            verify=_trusted(ca_file),
            transport=transport,
            trust_env=False,
        )

    async def agents(self) -> list[ServedAgent]:
        """See `Client.agents`."""
        return await self._asked(calls.agents())

    async def decide(self, agent: str, subject: str, *, idempotency_key: str = "") -> Decision:
        """See `Client.decide`."""
        return await self._asked(calls.decide(agent, subject, idempotency_key or new_key()))

    async def decision(self, decision_id: str) -> Decision:
        """See `Client.decision`."""
        return await self._asked(calls.decision(decision_id))

    async def switch(self, agent: str, *, off: bool) -> Switched:
        """See `Client.switch`."""
        return await self._asked(calls.switch(agent, off))

    async def ready(self) -> Ready:
        """See `Client.ready`."""
        return await self._asked(calls.ready())

    async def audit(self, newest: int = 100) -> list[Event]:
        """See `Client.audit`."""
        return await self._asked(calls.audit(newest))

    async def echo(self, body: Mapping[str, Any]) -> Any:
        """See `Client.echo`."""
        return await self._asked(calls.echo(body))

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _asked(self, call: Call[T]) -> T:
        async for attempt in self._retries(call):
            with attempt:
                try:
                    return call.answer(await self._http.request(**_arguments(call)))
                except httpx2.TransportError as error:
                    raise calls.unanswered(error) from error
        raise AssertionError("stamina ends with a result or an exception")


def new_key() -> str:
    """An idempotency key that nobody else has."""
    return str(uuid.uuid4())


def _arguments(call: Call[Any]) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": call.path,
        "json": call.body,
        "params": call.params,
        "headers": call.headers,
    }


def _again(error: Exception) -> bool | float:
    """Whether a read is asked again, or in how many seconds."""
    if not isinstance(error, ServeError):
        return False
    if error.status in _BUSY and error.retry_after_s is not None:
        return min(error.retry_after_s, _WAITS_AT_MOST_S)
    return error.status == 0 or error.status in _BUSY


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _trusted(ca_file: str | None) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=ca_file) if ca_file else True
