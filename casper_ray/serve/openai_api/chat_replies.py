"""A decision as a chat completion, whole or in chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from casper_ray.serve.openai_api.answer import Answer
from casper_ray.serve.openai_api.server_events import DONE, event


def completion(answer: Answer) -> str:
    """JSON of the chat completion."""
    message = {"role": "assistant", "content": answer.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return json.dumps({**_head(answer, "chat.completion"), "choices": [choice], "usage": usage(answer)})


def chunks(answer: Answer, *, include_usage: bool) -> Iterator[str]:
    """The events of its stream: the role, the text in pieces, why it ends, usage if that was asked, the end."""
    yield _chunk(answer, {"role": "assistant", "content": ""})
    for piece in answer.pieces():
        yield _chunk(answer, {"content": piece})
    yield _chunk(answer, {}, "stop")
    if include_usage:
        yield event({**_head(answer, "chat.completion.chunk"), "choices": [], "usage": usage(answer)})
    yield DONE


def usage(answer: Answer) -> dict[str, int]:
    """Tokens, in the words of chat completions."""
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


def _chunk(answer: Answer, delta: dict[str, Any], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return event({**_head(answer, "chat.completion.chunk"), "choices": [choice]})


def _head(answer: Answer, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": kind,
        "created": answer.created_s,
        "model": answer.model,
        "system_fingerprint": answer.version,
    }
