"""Which parts of a request an agent may pass over: those that could not change its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.openai_api.requests import Asked

READ: Final = frozenset({"model", "messages", "input", "stream", "stream_options"})
IGNORED: Final = frozenset(
    {
        "frequency_penalty",
        "include",
        "instructions",
        "logit_bias",
        "max_completion_tokens",
        "max_output_tokens",
        "max_tokens",
        "max_tool_calls",
        "metadata",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "reasoning_effort",
        "safety_identifier",
        "seed",
        "service_tier",
        "store",
        "temperature",
        "top_k",
        "top_p",
        "truncation",
        "user",
        "verbosity",
    }
)
"""What steers a model's words. An agent's answer is a decision, so there is nothing that it could steer."""


def _nothing(value: Any) -> bool:
    return not value


def _no_form(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") in ("text", "json_object")


def _text_only(value: Any) -> bool:
    return isinstance(value, Mapping) and ("format" not in value or _no_form(value["format"]))


HARMLESS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "audio": _nothing,
    "background": _nothing,
    "conversation": _nothing,
    "function_call": lambda value: value in ("none", "auto"),
    "functions": _nothing,
    "logprobs": _nothing,
    "modalities": lambda value: value == ["text"],
    "n": lambda value: value == 1,
    "previous_response_id": _nothing,
    "prompt": _nothing,
    "response_format": _no_form,
    "stop": _nothing,
    "text": _text_only,
    "tool_choice": lambda value: value in ("none", "auto"),
    "tools": _nothing,
    "top_logprobs": _nothing,
    "web_search_options": _nothing,
}
"""What would change the answer, unless its value says that nothing is wanted."""


def refuse_what_changes(asked: Asked) -> None:
    """Raises: DoorError: 422 where an agent's answer would be another than what is asked for."""
    for name, value in asked:
        if name in READ or name in IGNORED or value is None:
            continue
        if name not in HARMLESS:
            raise DoorError(
                422,
                "the request has a field that agents do not know",
                "docs/reference/serve-api.md lists them",
            )
        if not HARMLESS[name](value):
            raise DoorError(
                422, f"{name}: agents cannot do that", "an agent answers with one decision, in its own form"
            )
