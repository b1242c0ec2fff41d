"""A route that only says again what it was sent: what the door itself costs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from casper_ray.serve.access.principal import Action, Principal
from casper_ray.serve.door.allow import Allow
from casper_ray.serve.door.body import body_schema, read_body
from casper_ray.serve.door.quick import QuickRoute


class Echo(BaseModel):
    """Any JSON object."""

    model_config = ConfigDict(extra="allow")


def build_echo_router() -> APIRouter:
    router = APIRouter(tags=["health"], route_class=QuickRoute)

    @router.post("/v1/echo", openapi_extra=body_schema(Echo))
    async def echo(request: Request, who: Annotated[Principal, Depends(Allow(Action.ECHO))]) -> Response:
        """What was sent. Kept for measuring the door."""
        body = await read_body(request, Echo)
        return Response(body.model_dump_json(), media_type="application/json")

    return router
