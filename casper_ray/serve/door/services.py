"""What routes call on. Each is a protocol, so that a route is tested without a cluster (see `serve.testing`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from casper_ray.serve.access.principal import Principal
from casper_ray.serve.audit import AuditEvent
from casper_ray.serve.operations.scrape import Numbers, OwnNumbers
from casper_ray.serve.settings import ServeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A decision that is asked for. agent, subject: as `casper agents decide` takes them.

    key_digest, body_digest: of the Idempotency-Key and of what was asked; empty: no key was sent.
    trace: the request's `traceparent`; empty: it leaves no spans.
    """

    agent: str
    subject: str
    who: Principal
    request_id: str
    route: str
    key_digest: str = ""
    body_digest: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A decision that is durable. decision: `agents.decisions`' row as JSON text; replayed: it was there before."""

    decision_id: str
    gate_action: str
    decision: str
    replayed: bool


class Deciding(Protocol):
    """Decides, once, and keeps it."""

    async def decide(self, wanted: Wanted) -> Made:
        """Raises: DoorError: 404 no such case or agent, 409 nothing to decide on yet, or the key was used for
        something else, 503 busy, being replaced, or held by another writer, 504 it took too long.
        """

    async def decision(self, decision_id: str) -> str:
        """A decision's JSON. Raises: DoorError 404."""

    async def agents(self) -> Sequence[Mapping[str, Any]]:
        """As `casper agents ls --json` lists them, those that are served, with `engine`."""

    async def switch(self, agent: str, *, off: bool) -> None:
        """The agent's kill switch."""

    async def ready(self) -> Mapping[str, bool]:
        """Which parts can work now, by name."""


class Audit(Protocol):
    """Where events of refusals go; those of decisions are written with them."""

    def note(self, event: AuditEvent) -> None:
        """Kept soon. Never waits, never raises; what is too much is counted and dropped."""

    async def events(self, newest: int) -> Sequence[AuditEvent]:
        """The newest events first."""


class Access(Protocol):
    """Proves who asks."""

    async def principal(self, authorization: str | None) -> Principal:
        """Raises: DoorError: 401, or 429 where the key's rate is used up."""


class Model(Protocol):
    """The LLM behind the door."""

    name: str

    async def chat(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A chat completion for OpenAI's request. Raises: DoorError: 422, 503."""

    def chat_stream(self, body: Mapping[str, Any]) -> AsyncIterator[str]:
        """The same in pieces: server-sent events' texts, each whole, the last `data: [DONE]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All that routes need. model: None: no LLM is configured."""

    settings: ServeSettings
    access: Access
    deciding: Deciding
    audit: Audit
    model: Model | None = None
    numbers: Numbers = field(default_factory=OwnNumbers)
