"""OpenAI's `response` objects and the events of their streams, whoever answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casper_ray.serve.openai_api.answer import Answer
from casper_ray.serve.openai_api.server_events import event

Json = dict[str, Any]


def response(
    response_id: str,
    model: str,
    created_s: int,
    status: str,
    output: Sequence[Json] = (),
    usage: Json | None = None,
) -> Json:
    """A response. status: in_progress, completed, incomplete."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": created_s,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": list(output),
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": usage,
    }


def message(message_id: str, text: str, status: str = "completed") -> Json:
    """An item of output: text of the assistant."""
    content = [] if status == "in_progress" else [_part(text)]
    return {"id": message_id, "type": "message", "role": "assistant", "status": status, "content": content}


def usage(input_tokens: int, output_tokens: int) -> Json:
    """Tokens, in the words of responses."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


class Events:
    """Writes the events of one response's stream, numbered from 0."""

    def __init__(self, response_id: str, model: str, created_s: int) -> None:
        self._head = (response_id, model, created_s)
        self._next = 0

    def begun(self) -> Iterator[str]:
        for name in ("response.created", "response.in_progress"):
            yield self._event(name, response=response(*self._head, "in_progress"))

    def text_begun(self, item_id: str, index: int) -> Iterator[str]:
        item = message(item_id, "", "in_progress")
        yield self._event("response.output_item.added", output_index=index, item=item)
        yield self._event("response.content_part.added", **_place(item_id, index), part=_part(""))

    def text(self, item_id: str, index: int, piece: str) -> str:
        return self._event("response.output_text.delta", **_place(item_id, index), delta=piece, logprobs=[])

    def text_done(self, item_id: str, index: int, text: str) -> Iterator[str]:
        place = _place(item_id, index)
        yield self._event("response.output_text.done", **place, text=text, logprobs=[])
        yield self._event("response.content_part.done", **place, part=_part(text))
        yield self.item_done(index, message(item_id, text))

    def call(self, index: int, item: Mapping[str, Any]) -> Iterator[str]:
        """A call of a function, whole."""
        begun = {**item, "arguments": "", "status": "in_progress"}
        place, said = {"item_id": item["id"], "output_index": index}, item["arguments"]
        yield self._event("response.output_item.added", output_index=index, item=begun)
        yield self._event("response.function_call_arguments.delta", **place, delta=said)
        yield self._event("response.function_call_arguments.done", **place, name=item["name"], arguments=said)
        yield self.item_done(index, item)

    def item_done(self, index: int, item: Mapping[str, Any]) -> str:
        return self._event("response.output_item.done", output_index=index, item=item)

    def ended(self, status: str, output: Sequence[Json], used: Json | None) -> str:
        return self._event(f"response.{status}", response=response(*self._head, status, output, used))

    def _event(self, kind: str, /, **fields: Any) -> str:
        self._next += 1
        return event({"type": kind, "sequence_number": self._next - 1, **fields}, kind)


def decided(answer: Answer) -> Json:
    """The response that a decision is."""
    output = [message(f"msg_{answer.id}", answer.text)]
    used = usage(answer.prompt_tokens, answer.completion_tokens)
    return response(f"resp_{answer.id}", answer.model, answer.created_s, "completed", output, used)


def decided_events(answer: Answer) -> Iterator[str]:
    """The events of its stream."""
    events, item_id, whole = (
        Events(f"resp_{answer.id}", answer.model, answer.created_s),
        f"msg_{answer.id}",
        decided(answer),
    )
    yield from events.begun()
    yield from events.text_begun(item_id, 0)
    for piece in answer.pieces():
        yield events.text(item_id, 0, piece)
    yield from events.text_done(item_id, 0, answer.text)
    yield events.ended("completed", whole["output"], whole["usage"])


def _place(item_id: str, index: int) -> Json:
    return {"item_id": item_id, "output_index": index, "content_index": 0}


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
