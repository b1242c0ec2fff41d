"""What the door answers, as a client has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from casper_ray.errors import CasperError


class ServeError(CasperError):
    """A refusal, or no answer.

    status: of HTTP; 0: nothing answered, and `type` is `unreachable`, `timeout` or `cut`. type, message, hint: as the
    door says them. request_id: to be found in its log; empty where nothing answered. retry_after_s: where it says so.
    """

    def __init__(
        self,
        status: int,
        type_: str,
        message: str,
        hint: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(status, type_, message, hint, request_id, retry_after_s)
        self.status, self.type, self.message = status, type_, message
        self.hint, self.request_id, self.retry_after_s = hint, request_id, retry_after_s

    def __str__(self) -> str:
        said = f"{self.status} {self.type}: {self.message}"
        return f"{said}. Hint: {self.hint}" if self.hint else said


class _Answer(BaseModel):
    """Base of answers: what a newer door says besides is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ServedAgent(_Answer):
    """An agent that is served. kind: of its cases. off: whether its kill switch is thrown."""

    agent: str
    version: str
    domain: str
    kind: str
    title: str
    tools: tuple[str, ...]
    off: bool


class Decision(_Answer):
    """A decision that is durable; see `agents.decisions` for its columns.

    amount:   money that may move. final: the answer as the gate left it; None where nothing is decided yet.
    replayed: whether it was there before it was asked for.
    """

    decision_id: str
    agent: str
    agent_version: str
    case_id: str
    case_ts: AwareDatetime
    decided_at: AwareDatetime
    gate_action: Literal["approved", "clipped", "queued", "refused"]
    gate_reasons: tuple[str, ...]
    outcome: str | None
    amount: Decimal
    final: Mapping[str, Any] | None
    proposal: Mapping[str, Any] | None
    engine: str
    usage: Mapping[str, Any] | None
    replayed: bool = False


class Switched(_Answer):
    """Where an agent's kill switch stands."""

    agent: str
    off: bool


class Ready(_Answer):
    """Whether all parts can work now, and which."""

    ready: bool
    parts: Mapping[str, bool]


class Event(_Answer):
    """An audit event; see `compliance.audit_log` for its columns."""

    at: datetime
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


AGENTS: TypeAdapter[list[ServedAgent]] = TypeAdapter(list[ServedAgent])
EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Event])
