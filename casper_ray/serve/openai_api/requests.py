"""What clients of OpenAI's protocol send, as far as it is looked at; what is not declared is kept for the LLM."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# A bound, however wide, is also what makes pydantic refuse text that is no Unicode. The body's own limit is narrower.
Text = Annotated[str, Field(max_length=1_000_000)]
ModelName = Annotated[str, Field(min_length=1, max_length=200, description="An agent, or the LLM.")]
Objects = Annotated[list[dict[str, Any]], Field(max_length=1_000)]


class Asked(BaseModel):
    """Base of a request: types are not guessed, and what is not declared is kept."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")


class Part(Asked):
    """A piece of a message."""

    type: str = Field(max_length=40)
    text: Text | None = None


class Message(Asked):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Text | Annotated[list[Part], Field(max_length=1_000)] | None = None


class StreamOptions(Asked):
    """How to stream."""

    include_usage: bool | None = None


class ChatRequest(Asked):
    """OpenAI's request for a chat completion.

    An agent reads `model`, `stream`, `stream_options` and the last user message, ignores what could not change its
    answer, and refuses the rest with 422. The LLM is given all of it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"model": "refund", "messages": [{"role": "user", "content": '{"subject": "XP0YMM"}'}]}
        }
    )

    model: ModelName
    messages: list[Message] = Field(min_length=1, max_length=1_000)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=None, ge=1, le=128)
    tools: Objects | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    stop: Text | Annotated[list[Text], Field(max_length=16)] | None = None
    logprobs: bool | None = None


class Item(Asked):
    """A piece of a response's input: a message, a call, what a call gave."""

    type: str | None = Field(default=None, max_length=40)


class ResponsesRequest(Asked):
    """OpenAI's request for a response. What an agent reads and refuses is as for chat completions."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"model": "refund", "input": '{"subject": "XP0YMM"}'}}
    )

    model: ModelName
    input: Text | Annotated[list[Item], Field(min_length=1, max_length=1_000)]
    instructions: Text | None = None
    stream: bool | None = None
    tools: Objects | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    previous_response_id: str | None = Field(default=None, max_length=200)
    background: bool | None = None
