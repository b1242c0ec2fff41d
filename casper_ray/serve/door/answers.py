"""What routes answer: for the OpenAPI document, and for whoever reads answers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from casper_ray.serve.access.principal import Role


class Answer(BaseModel):
    """Base of answers: whoever reads one passes over what a newer door says besides."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Alive(Answer):
    """The door answers."""

    status: Literal["ok"]


class Ready(Answer):
    """Whether all parts can work now, and which."""

    ready: bool
    parts: Mapping[str, bool]


class ServedAgent(Answer):
    """An agent that is served. kind: of its cases. off: whether its kill switch is thrown."""

    agent: str
    version: str
    engine: str
    domain: str
    kind: str
    title: str
    tools: tuple[str, ...]
    off: bool


class ServedAgents(Answer):
    """All of them."""

    agents: tuple[ServedAgent, ...]


class DecisionRow(Answer):
    """A decision that is durable: the row of `agents.decisions`, with its JSON unpacked.

    amount: money that may move. final: the answer as the gate left it; null where nothing is decided yet.
    """

    decision_id: str
    agent: str
    agent_version: str
    case_id: str
    case_ts: AwareDatetime
    decided_sim_ts: AwareDatetime | None
    decided_at: AwareDatetime
    proposal: Mapping[str, Any] | None
    gate_action: Literal["approved", "clipped", "queued", "refused"]
    gate_reasons: tuple[str, ...]
    final: Mapping[str, Any] | None
    engine: str
    usage: Mapping[str, Any] | None
    inputs: Mapping[str, Any]
    idempotency_key: str
    outcome: str | None
    amount: Decimal


class Switched(Answer):
    """Where an agent's kill switch stands."""

    agent: str
    off: bool


class Event(Answer):
    """An audit event; see `compliance.audit_log` for its columns."""

    at: AwareDatetime
    request_id: str
    principal: str
    role: str
    action: str
    route: str
    status: int
    outcome: str
    agent: str
    case_id: str
    decision_id: str
    gate: str


class Events(Answer):
    """The newest first."""

    events: tuple[Event, ...]


class Key(Answer):
    """An API key, without its secret. expires, revoked: null: neither."""

    id: str
    name: str
    role: Role
    created: AwareDatetime
    expires: AwareDatetime | None
    revoked: AwareDatetime | None


class Keys(Answer):
    """All of them, revoked and expired ones too."""

    keys: tuple[Key, ...]


class ShownKey(Key):
    """A key that was made just now. key: its secret, which is shown once and kept nowhere."""

    key: str
