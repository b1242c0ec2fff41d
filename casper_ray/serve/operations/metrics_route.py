"""GET /metrics: the whole application's numbers, whichever door is asked."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from casper_ray.serve.access.principal import Action
from casper_ray.serve.door.allow import Allow, services_of
from casper_ray.serve.operations.metrics import exposition


def build_metrics_router() -> APIRouter:
    """The route."""
    router = APIRouter(tags=["operations"])

    @router.get(
        "/metrics",
        dependencies=[Depends(Allow(Action.SEE_METRICS))],
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        summary="Numbers for Prometheus",
    )
    async def metrics(request: Request) -> Response:
        """What each process counted since it started, in Prometheus's text format."""
        numbers = services_of(request).numbers
        text = exposition(await numbers.snapshots(), numbers.parts)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router
