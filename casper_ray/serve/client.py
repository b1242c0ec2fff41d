"""A client of the door, sync; `AsyncClient` is the same for asyncio.

Only reads are asked again after a failure. A decision that got no answer is asked for again by the caller, with the
same `idempotency_key`: then it is made at most once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from casper_ray.serve import client_calls as calls
from casper_ray.serve.client_answers import Decision, ServeError
from casper_ray.serve.client_async import AsyncClient
from casper_ray.serve.client_base import ClientBase, arguments, headers, new_key, trusted
from casper_ray.serve.client_calls import Call
from casper_ray.serve.door.answers import Event, Key, Ready, ServedAgent, ShownKey, Switched

__all__ = [
    "AsyncClient",
    "Client",
    "Decision",
    "Event",
    "Key",
    "Ready",
    "ServeError",
    "ServedAgent",
    "ShownKey",
    "Switched",
]

T = TypeVar("T")


class Client(ClientBase):
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
            headers=headers(key),
            timeout=timeout_s,
            verify=trusted(ca_file),
            transport=transport,
            trust_env=False,
        )

    def agents(self) -> tuple[ServedAgent, ...]:
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

    def audit(self, newest: int = 100) -> tuple[Event, ...]:
        """The newest audit events first."""
        return self._asked(calls.audit(newest))

    def echo(self, body: Mapping[str, Any]) -> Any:
        """What was sent."""
        return self._asked(calls.echo(body))

    def keys(self) -> tuple[Key, ...]:
        """API keys, revoked and expired ones too."""
        return self._asked(calls.keys())

    def make_key(self, name: str, role: str, *, expires_s: float | None = None) -> ShownKey:
        """A new key. Its secret is in this answer, and nowhere else."""
        return self._asked(calls.make_key(name, role, expires_s))

    def rotate_key(self, key_id: str, *, overlap_s: float = 0.0, expires_s: float | None = None) -> ShownKey:
        """A key with a new secret. overlap_s: for how long the old one stays good."""
        return self._asked(calls.rotate_key(key_id, overlap_s, expires_s))

    def revoke_key(self, key_id: str) -> Key:
        """A key that opens nothing any more."""
        return self._asked(calls.revoke_key(key_id))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, call: Call[T]) -> T:
        for attempt in self.retries(call):
            with attempt:
                try:
                    return call.answer(self._http.request(**arguments(call)))
                except httpx2.TransportError as error:
                    raise calls.unanswered(error) from error
        raise AssertionError("stamina ends with a result or an exception")
