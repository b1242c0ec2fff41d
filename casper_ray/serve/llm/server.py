"""The replica that holds vLLM's engine: OpenAI's JSON in, OpenAI's JSON out, across the handle once.

`ray.serve.llm` has an ingress of its own between client and engine; our door takes its place, so a request is parsed
here, beside the engine, and its answer leaves as the bytes that the client gets. Imported only where vLLM is.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

from pydantic import ValidationError
from ray.llm._internal.serve.core.configs.openai_api_models import ChatCompletionRequest, ErrorResponse
from ray.serve.llm.deployment import LLMServer
from vllm.envs import enable_envs_cache

from casper_ray.serve.llm.answered import Answered, engine_failed, not_a_request, refused


class ChatServer(LLMServer):
    """See `Answered`. Nothing is raised for what a request or the engine did: errors of vLLM need vLLM to be read."""

    async def start(self) -> None:
        """As vLLM's own server does it: what is loaded by now stays, so the garbage collector leaves it alone."""
        await super().start()  # type: ignore[no-untyped-call]  # Ray gives it no types
        gc.collect()
        gc.freeze()
        enable_envs_cache()  # read from the environment at every request otherwise

    async def answer(self, body: bytes) -> Answered:
        """A chat completion as JSON."""
        try:
            return await anext(self._answers(body))
        except Exception as error:
            return engine_failed(error)

    async def answer_stream(self, body: bytes) -> AsyncIterator[Answered]:
        """Server-sent events as they come; what came in one go is one piece. An error is the last piece."""
        try:
            async for piece in _together(self._answers(body)):
                yield piece
        except Exception as error:
            yield engine_failed(error)

    async def _answers(self, body: bytes) -> AsyncIterator[Answered]:
        try:
            request = ChatCompletionRequest.model_validate_json(body)
        except ValidationError as error:
            yield not_a_request(error)
            return
        engine: Any = self.engine  # typed as something that could be none, and not started
        async for said in engine.chat(request):
            if isinstance(said, str):
                yield Answered(200, said.encode())
            elif isinstance(said, ErrorResponse):
                yield refused(said.error.code, said.error.message)
            else:
                yield Answered(200, said.model_dump_json().encode())


async def _together(pieces: AsyncIterator[Answered]) -> AsyncIterator[Answered]:
    """The same pieces; those that wait when one is taken are one. Keeps nothing back: what is there goes out."""
    queue: asyncio.Queue[Answered | None] = asyncio.Queue()

    async def read() -> None:
        try:
            async for piece in pieces:
                queue.put_nowait(piece)
        finally:
            queue.put_nowait(None)

    reading = asyncio.create_task(read())
    try:
        last = False
        while not last:
            waiting = [await queue.get()]
            while not queue.empty():
                waiting.append(queue.get_nowait())
            last = waiting[-1] is None
            for joined in _joined([piece for piece in waiting if piece is not None]):
                yield joined
        await reading
    finally:
        reading.cancel()


def _joined(pieces: list[Answered]) -> list[Answered]:
    good = [piece for piece in pieces if piece.status == 200]
    bad = [piece for piece in pieces if piece.status != 200]
    return ([Answered(200, b"".join(piece.body for piece in good))] if good else []) + bad
