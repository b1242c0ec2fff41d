"""A route that only says again what it was sent: what the door itself costs."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from casper_ray.serve.access.principal import Action
from casper_ray.serve.door.allow import Allow
from casper_ray.serve.door.body import body_schema, read_body


class Echo(BaseModel):
    """Any JSON object."""

    model_config = ConfigDict(extra="allow")


def build_echo_router() -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.post("/v1/echo", dependencies=[Depends(Allow(Action.ECHO))], openapi_extra=body_schema(Echo))
    async def echo(request: Request) -> Response:
        """What was sent. Kept for measuring the door."""
        body = await read_body(request, Echo)
        return Response(body.model_dump_json(), media_type="application/json")

    return router
