"""What the LLM said in a chat completion, as a response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from casper_ray.serve.openai_api.response_replies import Events, Json, message, response, usage
from casper_ray.serve.openai_api.server_events import event, objects


def response_of(completion: Mapping[str, Any]) -> Json:
    """The response for a chat completion's first choice."""
    name, choice = str(completion["id"]), completion["choices"][0]
    said = choice["message"]
    output = [message(f"msg_{name}", said["content"])] if said.get("content") else []
    output += [_call(call["id"], call["function"]) for call in said.get("tool_calls") or ()]
    status = _status(choice.get("finish_reason"))
    return response(
        f"resp_{name}", completion["model"], completion["created"], status, output, _usage(completion)
    )


async def response_events(chunks: AsyncIterator[str]) -> AsyncIterator[str]:
    """The events of a response's stream for those of a chat completion's. Calls come whole, at the end."""
    heard: _Heard | None = None
    async for chunk in objects(chunks):
        if "error" in chunk:
            yield event(chunk, "error")
            return
        if heard is None:
            heard = _Heard(str(chunk["id"]), chunk["model"], chunk["created"])
            for text in heard.events.begun():
                yield text
        for text in heard.more(chunk):
            yield text
    for text in heard.end() if heard else ():
        yield text


class _Heard:
    """What has come so far."""

    def __init__(self, name: str, model: str, created_s: int) -> None:
        self.events = Events(f"resp_{name}", model, created_s)
        self._item_id, self._text, self._status = f"msg_{name}", "", "completed"
        self._calls: dict[int, dict[str, str]] = {}
        self._used: Json | None = None

    def more(self, chunk: Mapping[str, Any]) -> Iterator[str]:
        """The events that a chunk brings."""
        self._used = _usage(chunk) or self._used
        for choice in chunk["choices"][:1]:
            if choice.get("finish_reason"):
                self._status = _status(choice["finish_reason"])
            for part in choice["delta"].get("tool_calls") or ():
                self._add_call(part)
            if piece := choice["delta"].get("content"):
                if not self._text:
                    yield from self.events.text_begun(self._item_id, 0)
                self._text += piece
                yield self.events.text(self._item_id, 0, piece)

    def end(self) -> Iterator[str]:
        """The events that close the stream."""
        output: list[Json] = []
        if self._text:
            output.append(message(self._item_id, self._text))
            yield from self.events.text_done(self._item_id, 0, self._text)
        for _, call in sorted(self._calls.items()):
            item = _call(call["id"], call)
            yield from self.events.call(len(output), item)
            output.append(item)
        yield self.events.ended(self._status, output, self._used)

    def _add_call(self, part: Mapping[str, Any]) -> None:
        call = self._calls.setdefault(part["index"], {"id": "", "name": "", "arguments": ""})
        call["id"] += part.get("id") or ""
        for name in ("name", "arguments"):
            call[name] += part.get("function", {}).get(name) or ""


def _status(finish_reason: str | None) -> str:
    return "incomplete" if finish_reason == "length" else "completed"


def _call(call_id: str, function: Mapping[str, Any]) -> Json:
    named = {"call_id": call_id, "name": function["name"], "arguments": function["arguments"]}
    return {"id": f"fc_{call_id}", "type": "function_call", "status": "completed", **named}


def _usage(said: Mapping[str, Any]) -> Json | None:
    used = said.get("usage")
    return usage(used["prompt_tokens"], used["completion_tokens"]) if used else None
