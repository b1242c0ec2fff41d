"""The client of the door for asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from casper_ray.serve import client_calls as calls
from casper_ray.serve.client_answers import Decision
from casper_ray.serve.client_base import ClientBase, arguments, headers, new_key, trusted
from casper_ray.serve.client_calls import Call
from casper_ray.serve.door.answers import Event, Key, Ready, ServedAgent, ShownKey, Switched

T = TypeVar("T")


class AsyncClient(ClientBase):
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
            headers=headers(key),
            timeout=timeout_s,
            verify=trusted(ca_file),
            transport=transport,
            trust_env=False,
        )

    async def agents(self) -> tuple[ServedAgent, ...]:
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

    async def audit(self, newest: int = 100) -> tuple[Event, ...]:
        """See `Client.audit`."""
        return await self._asked(calls.audit(newest))

    async def echo(self, body: Mapping[str, Any]) -> Any:
        """See `Client.echo`."""
        return await self._asked(calls.echo(body))

    async def keys(self) -> tuple[Key, ...]:
        """See `Client.keys`."""
        return await self._asked(calls.keys())

    async def make_key(self, name: str, role: str, *, expires_s: float | None = None) -> ShownKey:
        """See `Client.make_key`."""
        return await self._asked(calls.make_key(name, role, expires_s))

    async def rotate_key(
        self, key_id: str, *, overlap_s: float = 0.0, expires_s: float | None = None
    ) -> ShownKey:
        """See `Client.rotate_key`."""
        return await self._asked(calls.rotate_key(key_id, overlap_s, expires_s))

    async def revoke_key(self, key_id: str) -> Key:
        """See `Client.revoke_key`."""
        return await self._asked(calls.revoke_key(key_id))

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _asked(self, call: Call[T]) -> T:
        async for attempt in self.retries(call):
            with attempt:
                try:
                    return call.answer(await self._http.request(**arguments(call)))
                except httpx2.TransportError as error:
                    raise calls.unanswered(error) from error
        raise AssertionError("stamina ends with a result or an exception")
