"""The newest audit events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from casper_ray.serve.access.principal import Action
from casper_ray.serve.deciding.kept_events import audit_json
from casper_ray.serve.door.allow import Allow, services_of


def build_audit_router() -> APIRouter:
    router = APIRouter(tags=["audit"])

    @router.get("/v1/audit", dependencies=[Depends(Allow(Action.SEE_AUDIT))])
    async def audit(request: Request, newest: Annotated[int, Query(ge=1, le=1_000)] = 100) -> JSONResponse:
        """The newest events first. Those of refusals are there within a second or two."""
        events = await services_of(request).audit.events(newest)
        return JSONResponse({"events": audit_json(events)})

    return router
