"""An LLM whose words are a function's: speaks OpenAI's chat protocol as vLLM does, without an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casper_ray.serve.openai_api.server_events import DONE, event

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedModel:
    """`door.services.Model`. says(body): the assistant's message, or an error that it raises. asked: bodies so far.

    cut: streams break off with an error after the first piece.
    """

    name: str
    says: Callable[[Mapping[str, Any]], Json]
    asked: list[Json] = field(default_factory=list)
    cut: bool = False

    async def chat(self, body: Mapping[str, Any]) -> Json:
        """The message, whole."""
        said = self._said(body)
        choice = {"index": 0, "message": said, "finish_reason": _reason(said)}
        return {**self._head("chat.completion"), "choices": [choice], "usage": _USAGE}

    async def chat_stream(self, body: Mapping[str, Any]) -> AsyncIterator[str]:
        """The message, a word a chunk; calls one a chunk."""
        said = self._said(body)
        yield self._chunk({"role": "assistant", "content": ""})
        for word in (said.get("content") or "").splitlines(keepends=True):
            yield self._chunk({"content": word})
            if self.cut:
                yield event({"error": {"type": "unavailable", "message": "scripted", "hint": ""}})
                yield DONE
                return
        for index, call in enumerate(said.get("tool_calls") or ()):
            yield self._chunk({"tool_calls": [{"index": index, **call}]})
        yield self._chunk({}, _reason(said))
        if (body.get("stream_options") or {}).get("include_usage"):
            yield event({**self._head("chat.completion.chunk"), "choices": [], "usage": _USAGE})
        yield DONE

    def _said(self, body: Mapping[str, Any]) -> Json:
        self.asked.append(dict(body))
        return {"role": "assistant", "content": None, **self.says(body)}

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _head(self, kind: str) -> Json:
        return {"id": "scripted", "object": kind, "created": 0, "model": self.name}


_USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def _reason(said: Mapping[str, Any]) -> str:
    return "tool_calls" if said.get("tool_calls") else str(said.get("finish_reason", "stop"))
