"""A model whose requests are counted: how long they took, what they used, what came to nothing."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Model
from casper_ray.serve.operations.instruments import CASES, DOOR

_WORDS: Final = {400: "rejected", 422: "rejected", 429: "rate_limited", 503: "busy", 504: "timeout"}
_DATA: Final = "data: "


class WatchedModel:
    """`door.services.Model`, as what is inside it answers."""

    def __init__(self, model: Model) -> None:
        self._model, self.name = model, model.name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    async def chat(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `Model.chat`."""
        with _timed():
            said = await self._model.chat(body)
        _used(said)
        return said

    async def chat_stream(self, body: Mapping[str, Any]) -> AsyncIterator[str]:
        """See `Model.chat_stream`. It took until the last piece."""
        with _timed():
            async for piece in self._model.chat_stream(body):
                if '"usage":' in piece and piece.startswith(_DATA):
                    _used(json.loads(piece.removeprefix(_DATA)))
                yield piece


@contextmanager
def _timed() -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    except DoorError as error:
        DOOR.asked_model("failed", time.perf_counter() - began)
        CASES.model_failed(_WORDS.get(error.status, "endpoint_error"))
        raise
    DOOR.asked_model("answered", time.perf_counter() - began)


def _used(said: Mapping[str, Any]) -> None:
    usage = said.get("usage")
    if isinstance(usage, Mapping):
        CASES.model_used(usage)
