"""Who asks, in which role, and what a role may do. What is not listed here is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class Role(StrEnum):
    """Roles, from the least."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Action(StrEnum):
    """What a route does. Every route declares one."""

    PUBLIC = "public"  # healthz, readyz, openapi.json, the start page: no key is asked for
    SEE_AGENTS = "see_agents"
    SEE_DECISIONS = "see_decisions"
    SEE_METRICS = "see_metrics"
    SEE_AUDIT = "see_audit"
    ECHO = "echo"
    DECIDE = "decide"
    ASK_MODEL = "ask_model"
    SWITCH_AGENTS = "switch_agents"
    SEE_KEYS = "see_keys"
    MANAGE_KEYS = "manage_keys"


_SEES: Final = frozenset({Action.SEE_AGENTS, Action.SEE_DECISIONS, Action.SEE_METRICS, Action.ECHO})
_OPERATES: Final = _SEES | {Action.DECIDE, Action.ASK_MODEL}
MAY: Final[Mapping[Role, frozenset[Action]]] = {
    Role.VIEWER: _SEES,
    Role.OPERATOR: _OPERATES,
    Role.SUPERVISOR: _OPERATES | {Action.SWITCH_AGENTS},
    Role.AUDITOR: _SEES | {Action.SEE_AUDIT, Action.SEE_KEYS},
    Role.ADMIN: frozenset(Action),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who proved who they are. id: of the key, or the token's subject: no secret, no person's name."""

    id: str
    role: Role
    by: Literal["key", "token"]

    def may(self, action: Action) -> bool:
        return action is Action.PUBLIC or action in MAY[self.role]
