"""From a message to a decision, or to the LLM: what both protocols of OpenAI share."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request

from casper_ray.serve.access.principal import Action, Principal
from casper_ray.serve.door.agents_routes import key_digests
from casper_ray.serve.door.allow import request_id_of, services_of
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Made, Model, Services, Wanted
from casper_ray.serve.openai_api.harmless import refuse_what_changes
from casper_ray.serve.openai_api.requests import ChatRequest, ResponsesRequest
from casper_ray.serve.openai_api.subject import subject_named
from casper_ray.serve.openai_api.translated import conversation
from casper_ray.serve.operations.spans import SPANS


def models_of(services: Services) -> list[str]:
    """The names that `model` may be: agents that are served, then the LLM and its adapters."""
    llm = services.settings.llm
    others = [] if services.model is None else [services.model.name, *(llm.adapters if llm else ())]
    return [*sorted(services.settings.agents), *others]


async def decided(
    request: Request, who: Principal, key: str | None, asked: ChatRequest | ResponsesRequest
) -> Made | None:
    """The agent's decision on the case that the messages name; None: no agent is of that name.

    key:    the Idempotency-Key.
    Raises: DoorError: 422 where they name none, or more than a decision is asked for; else as `Deciding.decide`.
    """
    services = services_of(request)
    if asked.model not in services.settings.agents:
        return None
    refuse_what_changes(asked)
    subject = subject_named(asked.messages if isinstance(asked, ChatRequest) else conversation(asked))
    key_digest, body_digest = key_digests(who, key, asked.model, subject) if key else ("", "")
    wanted = Wanted(
        agent=asked.model,
        subject=subject,
        who=who,
        request_id=request_id_of(request),
        route=request.scope["route"].path,
        key_digest=key_digest,
        body_digest=body_digest,
        trace=SPANS.here(),
    )
    return await services.deciding.decide(wanted)


def model_meant(request: Request, who: Principal, name: str) -> Model:
    """The LLM, where it or one of its adapters is asked for. Raises: DoorError: 403, 404 where there is none."""
    services = services_of(request)
    if services.model is None or name not in models_of(services):
        raise DoorError(404, "there is no model of that name", "GET /v1/models lists them")
    if not who.may(Action.ASK_MODEL):
        raise DoorError(403, f"role {who.role} may not ask the model")
    return services.model


async def begun(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """The same pieces, once the first is there: until then an error can still be the response's status."""
    first = await anext(pieces, None)

    async def all_of_them() -> AsyncIterator[str]:
        if first is not None:
            yield first
        async for piece in pieces:
            yield piece

    return all_of_them()
