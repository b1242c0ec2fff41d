"""Server-sent events: how streams are written, and how a model's are read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

DONE: Final = "data: [DONE]\n\n"
MEDIA_TYPE: Final = "text/event-stream"


def event(data: Mapping[str, Any], name: str | None = None) -> str:
    """One event, whole. JSON has no line breaks of its own, so it is one line."""
    text = f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
    return f"event: {name}\n{text}" if name else text


async def objects(events: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """What events hold, until the one that says that it is done."""
    async for text in events:
        for line in text.splitlines():
            value = line.removeprefix("data:").strip() if line.startswith("data:") else ""
            if value == "[DONE]":
                return
            if value:
                yield json.loads(value)
