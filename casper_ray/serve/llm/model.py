"""The model as the door asks it: OpenAI's request across the handle, and every failure as what the door says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any, Final, TypeVar

from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.llm.answered import engine_failed, unavailable
from casper_ray.serve.llm.replicas import Replicas, replicas_of
from casper_ray.serve.llm.request import engine_body

PATIENCE_S: Final = 3.0
"""After so long without an answer it is looked whether any replica runs, and again after as long."""
_END: Final = "\n\n"
_DONE: Final = f"data: [DONE]{_END}"
Said = TypeVar("Said")


class HandleModel:
    """`door.services.Model` over the handle of `ChatServer`.

    A handle waits for ever where no replica runs, so whatever takes long is watched: where none runs, it ends with
    503. One that dies, or whose engine does, ends its requests itself.
    """

    def __init__(
        self,
        name: str,
        handle: Any,
        adapters: Sequence[str] = (),
        *,
        device: str = "gpu",
        replicas: Replicas | None = None,
    ) -> None:
        self.name = name
        self._models, self._device = (name, *adapters), device
        self._answer = handle.options(method_name="answer")
        self._stream = handle.options(method_name="answer_stream", stream=True)
        self._replicas = replicas or replicas_of(handle)

    async def chat(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `Model.chat`."""
        response = self._answer.remote(self._asked(body, stream=False))
        try:
            answered = await self._watched(response)
        except BaseException:
            response.cancel()
            raise
        if answered.status != 200:
            raise answered.error()
        completion: Mapping[str, Any] = json.loads(answered.body)
        return completion

    async def chat_stream(self, body: Mapping[str, Any]) -> AsyncIterator[str]:
        """See `Model.chat_stream`. Raises as `chat` does before the first piece; later an error is a piece."""
        response = self._stream.remote(self._asked(body, stream=True))
        begun = False
        try:
            while (answered := await self._watched(anext(response, None))) is not None:
                if answered.status != 200:
                    raise answered.error()
                for event in answered.body.decode().split(_END)[:-1]:
                    yield event + _END
                    begun = True
        except DoorError as error:
            if not begun:
                raise
            yield _event(error)
            yield _DONE
        finally:
            response.cancel()  # where the client is gone, the engine can stop; of what is over: nothing

    def _asked(self, body: Mapping[str, Any], *, stream: bool) -> bytes:
        return engine_body(body, stream=stream, models=self._models, device=self._device)

    async def _watched(self, said: Awaitable[Said]) -> Said:
        """What is awaited, as long as a replica runs. Raises: DoorError 503."""
        waiting = asyncio.ensure_future(said)
        try:
            while not (await asyncio.wait({waiting}, timeout=PATIENCE_S))[0]:
                if not await self._replicas.any_runs() and not waiting.done():
                    raise unavailable("no replica of the model runs")
            return waiting.result()
        except DoorError:
            raise
        except Exception as error:  # of Ray: a replica that died, a queue that is full
            raise engine_failed(error).error() from error
        finally:
            if not waiting.done():
                waiting.add_done_callback(_heed)
                waiting.cancel()


def _event(error: DoorError) -> str:
    """An error in the middle of a stream, whose status is long sent."""
    return f"data: {json.dumps(error.body())}{_END}"


def _heed(given_up: asyncio.Future[Any]) -> None:
    """Looks at how what was given up ended, or asyncio would complain that nobody did."""
    if not given_up.cancelled():
        given_up.exception()
