"""The routes that OpenAI's clients know: agents, and the LLM, as models."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from casper_ray.serve.access.principal import Action, Principal
from casper_ray.serve.door.agents_routes import KEY_HEADER, REPLAYED, idempotency_key
from casper_ray.serve.door.allow import Allow, services_of
from casper_ray.serve.door.body import body_schema, read_body
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.quick import QuickRoute
from casper_ray.serve.door.services import Made
from casper_ray.serve.openai_api import chat_replies, response_replies, schemas
from casper_ray.serve.openai_api.answer import answer_of
from casper_ray.serve.openai_api.asking import begun, decided, model_meant, models_of
from casper_ray.serve.openai_api.model_replies import response_events, response_of
from casper_ray.serve.openai_api.requests import ChatRequest, ResponsesRequest
from casper_ray.serve.openai_api.server_events import MEDIA_TYPE
from casper_ray.serve.openai_api.translated import chat_request

_JSON: Final = "application/json"
_KEYED: Final[dict[str, Any]] = {"parameters": [KEY_HEADER]}
Decides = Annotated[Principal, Depends(Allow(Action.DECIDE))]
Sees = Annotated[Principal, Depends(Allow(Action.SEE_AGENTS))]


def build_openai_router() -> APIRouter:
    """GET /v1/models, POST /v1/chat/completions, POST /v1/responses."""
    router = APIRouter(prefix="/v1", tags=["openai"], route_class=QuickRoute)
    router.get("/models", summary="Agents and the LLM, as models", responses=schemas.MODELS)(_models)
    router.get("/models/{model}", summary="One model", responses=schemas.MODEL)(_model)
    router.post(
        "/chat/completions",
        summary="A decision, or the LLM's answer, as a chat completion",
        description="`model` names an agent or the LLM. For an agent the last user message names the case.",
        responses=schemas.CHAT,
        openapi_extra=body_schema(ChatRequest) | _KEYED,
    )(_chat)
    router.post(
        "/responses",
        summary="The same, as a response",
        description="As chat completions. Responses are not kept: `previous_response_id` is refused.",
        responses=schemas.RESPONSES,
        openapi_extra=body_schema(ResponsesRequest) | _KEYED,
    )(_responses)
    return router


async def _models(request: Request, who: Sees) -> Response:
    data = [_described(name) for name in models_of(services_of(request))]
    return _json({"object": "list", "data": data})


async def _model(request: Request, model: str, who: Sees) -> Response:
    if model not in models_of(services_of(request)):
        raise DoorError(404, "there is no model of that name", "GET /v1/models lists them")
    return _json(_described(model))


async def _chat(request: Request, who: Decides) -> Response:
    asked = await read_body(request, ChatRequest)
    made = await decided(request, who, idempotency_key(request), asked)
    if made is not None:
        answer = answer_of(made, asked.model)
        if not asked.stream:
            return _of_decision(made, chat_replies.completion(answer))
        usage = asked.stream_options is not None and bool(asked.stream_options.include_usage)
        return _events(made, chat_replies.chunks(answer, include_usage=usage))
    llm, body = model_meant(request, who, asked.model), asked.model_dump(exclude_unset=True)
    return _streamed(await begun(llm.chat_stream(body))) if asked.stream else _json(await llm.chat(body))


async def _responses(request: Request, who: Decides) -> Response:
    asked = await read_body(request, ResponsesRequest)
    made = await decided(request, who, idempotency_key(request), asked)
    if made is not None:
        answer = answer_of(made, asked.model)
        if not asked.stream:
            return _of_decision(made, json.dumps(response_replies.decided(answer)))
        return _events(made, response_replies.decided_events(answer))
    llm, body = model_meant(request, who, asked.model), chat_request(asked)
    if not asked.stream:
        return _json(response_of(await llm.chat(body)))
    body["stream_options"] = {"include_usage": True}
    return _streamed(response_events(await begun(llm.chat_stream(body))))


def _described(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "casper_ray"}


def _json(content: Any) -> Response:
    return Response(json.dumps(content), media_type=_JSON)


def _of_decision(made: Made, content: str) -> Response:
    return Response(content, media_type=_JSON, headers=_replayed(made))


def _events(made: Made, events: Iterable[str]) -> Response:
    """The whole stream of a decision that is made: there is nothing to wait for between its events."""
    return Response("".join(events), media_type=MEDIA_TYPE, headers=_replayed(made))


def _streamed(events: AsyncIterator[str]) -> Response:
    return StreamingResponse(events, media_type=MEDIA_TYPE)


def _replayed(made: Made) -> dict[str, str]:
    return {REPLAYED: "true"} if made.replayed else {}
