"""What /openapi.json says of the routes of OpenAI's protocol."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel

from casper_ray.serve.openai_api.server_events import MEDIA_TYPE


class ModelCard(BaseModel):
    """An agent, or the LLM."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    """All of them."""

    object: Literal["list"]
    data: list[ModelCard]


class ChatUsage(BaseModel):
    """Tokens of the model that was asked; 0: none was."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatMessage(BaseModel):
    """content: of an agent, JSON of the decision."""

    role: Literal["assistant"]
    content: str | None = None


class ChatChoice(BaseModel):
    index: int
    message: ChatMessage
    finish_reason: str | None


class ChatCompletion(BaseModel):
    """OpenAI's chat completion."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage | None = None


class ResponseUsage(BaseModel):
    input_tokens: int
    output_tokens: int
    total_tokens: int


class ModelResponse(BaseModel):
    """OpenAI's response. output: messages, whose text is JSON of the decision where an agent answers; calls."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["completed", "incomplete"]
    model: str
    output: list[dict[str, Any]]
    usage: ResponseUsage | None = None


_EVENT: Final = {
    "type": "object",
    "description": "One server-sent event. data: JSON of OpenAI's chunk or event, or `[DONE]`.",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["data"],
}


def _answers(model: type[BaseModel], *, streams: bool = False) -> dict[int | str, dict[str, Any]]:
    events = {MEDIA_TYPE: {"schema": _EVENT}} if streams else {}
    return {200: {"model": model, "description": "The answer", "content": events}}


MODELS: Final = _answers(ModelList)
MODEL: Final = _answers(ModelCard)
CHAT: Final = _answers(ChatCompletion, streams=True)
RESPONSES: Final = _answers(ModelResponse, streams=True)
