"""Agents, their decisions, and their kill switches."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from casper_ray.serve.access.principal import Action, Principal
from casper_ray.serve.door.allow import Allow, note_done, request_id_of, services_of
from casper_ray.serve.door.body import body_schema, read_body
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.quick import QuickRoute
from casper_ray.serve.door.services import Made, Wanted
from casper_ray.serve.operations.spans import SPANS

AGENT = Annotated[str, Path(description="An agent that is served, by name.", examples=["refund"])]
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
KEY_HEADER: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Of one request: sent again with it, a request is answered as it was the first time.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
_DECIDE, _SWITCH = "/v1/agents/{agent}/decisions", "/v1/agents/{agent}/switch"
REPLAYED = "Idempotent-Replayed"


class WantedDecision(BaseModel):
    """subject: what the case is about, such as an order's id, or the case's own id."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"subject": "XP0YMM"}]}
    )

    subject: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")


class SwitchState(BaseModel):
    """off: no case of the agent is decided by machine any more; all go to people."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"off": False}]})

    off: bool


def build_agents_router() -> APIRouter:
    router = APIRouter(tags=["agents"], route_class=QuickRoute)

    @router.get("/v1/agents")
    async def agents(
        request: Request, who: Annotated[Principal, Depends(Allow(Action.SEE_AGENTS))]
    ) -> Response:
        """The agents that are served: version, engine, tools, on or off."""
        return JSONResponse({"agents": list(await services_of(request).deciding.agents())})

    @router.post(_DECIDE, openapi_extra=body_schema(WantedDecision) | {"parameters": [KEY_HEADER]})
    async def decide(
        request: Request, agent: AGENT, who: Annotated[Principal, Depends(Allow(Action.DECIDE))]
    ) -> Response:
        """Decide on a case, once. 200 means that the decision is durable; asked again, it is the same one."""
        body = await read_body(request, WantedDecision)
        key = idempotency_key(request)
        digests = key_digests(who, key, agent, body.subject) if key else ("", "")
        made = await services_of(request).deciding.decide(
            Wanted(
                agent=agent,
                subject=body.subject,
                who=who,
                request_id=request_id_of(request),
                route=_DECIDE,
                key_digest=digests[0],
                body_digest=digests[1],
                trace=SPANS.here(),
            )
        )
        return decision_response(made)

    @router.put(_SWITCH, openapi_extra=body_schema(SwitchState))
    async def switch(
        request: Request, agent: AGENT, who: Annotated[Principal, Depends(Allow(Action.SWITCH_AGENTS))]
    ) -> Response:
        """The agent's kill switch. It holds for what is not committed yet."""
        body = await read_body(request, SwitchState)
        await services_of(request).deciding.switch(agent, off=body.off)
        note_done(request, Action.SWITCH_AGENTS, who, "off" if body.off else "on")
        return JSONResponse({"agent": agent, "off": body.off})

    @router.get("/v1/decisions/{decision_id}")
    async def decision(
        request: Request,
        decision_id: str,
        who: Annotated[Principal, Depends(Allow(Action.SEE_DECISIONS))],
    ) -> Response:
        """A decision that was made, by its whole id."""
        found = await services_of(request).deciding.decision(decision_id)
        return Response(found, media_type="application/json")

    return router


def idempotency_key(request: Request) -> str | None:
    """The header's, or None. Raises: DoorError 422."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise DoorError(422, "Idempotency-Key: 1 to 200 printable characters", "such as a UUID")
    return key


def key_digests(who: Principal, key: str, agent: str, subject: str) -> tuple[str, str]:
    """Of whose key it is, and of what was asked with it."""
    return _digest(who.id, key), _digest(agent, subject)


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def decision_response(made: Made, headers: dict[str, Any] | None = None) -> Response:
    """200 with the decision. A replayed one says so."""
    said = {**(headers or {}), **({REPLAYED: "true"} if made.replayed else {})}
    return Response(made.decision, headers=said, media_type="application/json")
