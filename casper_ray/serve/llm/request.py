"""What of OpenAI's chat request reaches the engine. Whatever is not named here does not.

vLLM takes much more than OpenAI does: templates that it renders, URLs that it fetches, arguments of its cache.
None of it is for callers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from casper_ray.serve.door.errors import DoorError

_PASSED: Final = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "n",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
    }
)
_DROPPED: Final = frozenset(
    {
        "user",
        "metadata",
        "store",
        "service_tier",
        "reasoning_effort",
        "verbosity",
        "prompt_cache_key",
        "safety_identifier",
    }
)
"""Wishes that make no difference here; clients send some of them unasked."""
NOT_ON: Final[Mapping[str, frozenset[str]]] = {"cpu": frozenset({"seed"}), "gpu": frozenset()}
"""By device. On CPUs a seed ends vLLM's engine (0.32.0: a prompt that is read in pieces moves a generator's offset,
which those of CPUs do not have), and so everybody else's requests.
"""
_MOST_ANSWERS: Final = 16
_MOST_TOOLS: Final = 128


def engine_body(body: Mapping[str, Any], *, stream: bool, models: Sequence[str], device: str) -> bytes:
    """The request for the engine, as JSON. models: names of the model and its adapters. device: what it runs on.

    Raises: DoorError: 404 another model; 422 a field that is not taken, content other than text, too many answers.
    """
    unknown = sorted(body.keys() - _PASSED - _DROPPED)
    if unknown:
        raise _invalid(f"{unknown[0][:60]!r} is not taken here", f"fields are {sorted(_PASSED)}")
    if body.get("model") not in models:
        raise DoorError(404, "there is no such model", f"GET /v1/models names them: {list(models)}")
    for name in NOT_ON[device]:
        if body.get(name) is not None:
            raise _invalid(
                f"{name} is not taken by a model on a {device}", "leave it out, or ask at temperature 0"
            )
    answers = body.get("n")
    if isinstance(answers, int) and answers > _MOST_ANSWERS:
        raise _invalid("n is too large", f"ask for at most {_MOST_ANSWERS} answers")
    _check_text_only(body.get("messages"))
    _check_format(body.get("response_format"))
    _check_tools(body.get("tools"), body.get("tool_choice"))
    passed = {name: value for name, value in body.items() if name in _PASSED and value is not None}
    return json.dumps({**passed, "stream": stream}).encode()


def _check_text_only(messages: Any) -> None:
    """Raises: DoorError where a part of a message is a picture, a sound or a file: engines fetch those from URLs."""
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else []:
            if not isinstance(part, dict) or part.get("type") != "text":
                raise _invalid("messages: content has a part that is no text", "send text")


def _invalid(message: str, hint: str) -> DoorError:
    return DoorError(422, message, hint)


def _check_format(wanted: Any) -> None:
    """vLLM fails within on a schema that is missing, or is nothing but itself: it is refused here instead."""
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema":
        return
    named = wanted.get("json_schema")
    schema = named.get("schema") if isinstance(named, Mapping) else None
    if not isinstance(schema, Mapping) or schema.get("$ref") == "#":
        raise _invalid(
            "response_format has no schema", "give json_schema.schema, an object that says what is meant"
        )


def _check_tools(tools: Any, choice: Any) -> None:
    """Not too many, and the one that is asked for among them: vLLM fails within otherwise."""
    given = tools if isinstance(tools, list) else []
    if len(given) > _MOST_TOOLS:
        raise _invalid("there are too many tools", f"give at most {_MOST_TOOLS}")
    asked = choice.get("function") if isinstance(choice, Mapping) else None
    if isinstance(asked, Mapping) and asked.get("name") not in [_function_name(tool) for tool in given]:
        raise _invalid("tool_choice names no tool of the request", "name one of `tools`")


def _function_name(tool: Any) -> Any:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return function.get("name") if isinstance(function, Mapping) else None
