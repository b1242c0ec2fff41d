"""Whether the door lives, whether what is behind it can work, and what it speaks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from casper_ray.serve.door.allow import services_of

_PUBLIC: dict[str, Any] = {"x-public": True}


def build_health_router() -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", openapi_extra=_PUBLIC)
    async def healthz() -> JSONResponse:
        """Liveness: this door answers. Nothing behind it is asked."""
        return JSONResponse({"status": "ok"})

    @router.get("/readyz", openapi_extra=_PUBLIC, responses={503: {"description": "A part cannot work now."}})
    async def readyz(request: Request) -> JSONResponse:
        """Readiness: whether every part that decides can work now, by name."""
        parts = dict(await services_of(request).deciding.ready())
        ready = all(parts.values())
        return JSONResponse({"ready": ready, "parts": parts}, 200 if ready else 503)

    @router.get("/openapi.json", openapi_extra=_PUBLIC, include_in_schema=False)
    async def openapi(request: Request) -> JSONResponse:
        return JSONResponse(request.app.openapi())

    return router
