"""OpenAI's request for a response, as the chat completion that asks the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.openai_api.requests import Item, Message, ResponsesRequest

Json = dict[str, Any]
_SAME: Final = ("temperature", "top_p", "seed", "user", "parallel_tool_calls", "stream")
_NOT_KEPT: Final = ("previous_response_id", "background", "conversation", "prompt")
_PASSED_OVER: Final = ("reasoning",)


def conversation(asked: ResponsesRequest) -> list[Message]:
    """The messages of the input, calls of functions left out. Raises: DoorError 422."""
    if isinstance(asked.input, str):
        return [Message(role="user", content=asked.input)]
    try:
        return [
            Message.model_validate(item.model_dump(exclude={"type"}))
            for item in asked.input
            if _kind(item) == "message"
        ]
    except ValidationError:
        raise DoorError(
            422, "an item of the input is no message", "role and content, as OpenAI has them"
        ) from None


def chat_request(asked: ResponsesRequest) -> Json:
    """The chat completion's request. Raises: DoorError: 422 for what a chat completion cannot do."""
    extra = asked.model_extra or {}
    if any(getattr(asked, name, None) or extra.get(name) for name in _NOT_KEPT):
        raise DoorError(422, "responses are not kept here", "send the whole conversation as input")
    body = {name: value for name in _SAME if (value := getattr(asked, name, extra.get(name))) is not None}
    if (most := extra.get("max_output_tokens")) is not None:
        body["max_completion_tokens"] = most
    if asked.tools:
        body["tools"] = [{"type": "function", "function": _function(tool)} for tool in asked.tools]
    if asked.tool_choice is not None:
        body["tool_choice"] = _choice(asked.tool_choice)
    if (form := _form((asked.text or {}).get("format"))) is not None:
        body["response_format"] = form
    return {**body, "model": asked.model, "messages": list(_messages(asked))}


def _messages(asked: ResponsesRequest) -> Iterator[Json]:
    if asked.instructions:
        yield {"role": "system", "content": asked.instructions}
    if isinstance(asked.input, str):
        yield {"role": "user", "content": asked.input}
        return
    calls: list[Json] = []
    for item in asked.input:
        kind, told = _kind(item), item.model_extra or {}
        if kind in _PASSED_OVER:
            continue
        if kind == "function_call":
            calls.append(_call(told))
            continue
        if calls:
            yield {"role": "assistant", "content": None, "tool_calls": calls}
            calls = []
        if kind == "function_call_output":
            yield {"role": "tool", "tool_call_id": _text(told, "call_id"), "content": _text(told, "output")}
        else:
            yield {"role": _text(told, "role"), "content": _content(told.get("content"))}
    if calls:
        yield {"role": "assistant", "content": None, "tool_calls": calls}


def _kind(item: Item) -> str:
    """Raises: DoorError: 422 for an item that chats do not have."""
    kind = item.type or "message"
    if kind not in ("message", "function_call", "function_call_output", *_PASSED_OVER):
        raise DoorError(
            422, "an item of the input is of a type that is not known here", "messages and functions are"
        )
    return kind


def _call(told: Mapping[str, Any]) -> Json:
    function = {"name": _text(told, "name"), "arguments": _text(told, "arguments")}
    return {"id": _text(told, "call_id"), "type": "function", "function": function}


def _content(content: Any) -> Any:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise DoorError(422, "content is text, or a list of parts")
    return [_part(part) for part in content]


def _part(part: Any) -> Json:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind in ("input_text", "output_text"):
        return {"type": "text", "text": _text(part, "text")}
    raise DoorError(422, "a part of the content is no text", "input_text is known here")


def _function(tool: Mapping[str, Any]) -> Json:
    if tool.get("type") != "function":
        raise DoorError(422, "tools are functions here")
    _text(tool, "name")
    return {
        name: tool[name]
        for name in ("name", "description", "parameters", "strict")
        if tool.get(name) is not None
    }


def _choice(choice: str | Mapping[str, Any]) -> Any:
    if isinstance(choice, str):
        return choice
    if choice.get("type") != "function":
        raise DoorError(422, "tools are functions here")
    return {"type": "function", "function": {"name": _text(choice, "name")}}


def _form(form: Any) -> Json | None:
    """`response_format` for `text.format`; None: text."""
    if form is None:
        return None
    kind = form.get("type") if isinstance(form, Mapping) else None
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": kind}
    if kind != "json_schema":
        raise DoorError(422, "text.format is text, json_object or json_schema")
    schema = {
        name: form[name] for name in ("name", "schema", "strict", "description") if form.get(name) is not None
    }
    return {"type": kind, kind: schema}


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise DoorError(422, f"{name} is missing, or no text")
    return value
