"""The model over a handle of Ray Serve's own local mode: real handle calls, a scripted replica, no cluster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from ray import serve

from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.llm import model
from casper_ray.serve.llm.answered import Answered, unavailable
from casper_ray.serve.llm.model import HandleModel
from casper_ray.serve.llm.replicas import Replicas

DONE = "data: [DONE]\n\n"
SECRET = "what the customer wrote"


class Scripted:
    """A replica that does what the first message says."""

    async def answer(self, body: bytes) -> Answered:
        wanted = json.loads(body)["messages"][0]["content"]
        if wanted == "die":
            raise RuntimeError(SECRET)
        if wanted == "wait":
            await asyncio.sleep(0.3)
        if wanted == "refuse":
            return Answered(422, b"max_tokens is too large")
        if wanted == "dead":
            return Answered(503, b"the model's engine failed (EngineDeadError)")
        return Answered(200, b'{"choices":[{"message":{"content":"Hi"}}]}')

    async def answer_stream(self, body: bytes) -> AsyncIterator[Answered]:
        wanted = json.loads(body)["messages"][0]["content"]
        if wanted == "refuse":
            yield Answered(422, b"max_tokens is too large")
            return
        yield Answered(200, b'data: {"n":1}\n\n')
        if wanted == "die":
            raise RuntimeError(SECRET)
        if wanted == "dead":
            yield Answered(503, b"the model's engine failed (EngineDeadError)")
            return
        yield Answered(200, b'data: {"n":2}\n\ndata: [DONE]\n\n')


class Gone(Scripted):
    """A deployment without a replica: calls wait for ever."""

    async def answer(self, body: bytes) -> Answered:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "PATIENCE_S", 0.1)


def _model(replica: type[Scripted], *, running: int = 1) -> HandleModel:
    handle = serve.run(serve.deployment(replica).bind(), name=replica.__name__, _local_testing_mode=True)
    return HandleModel("tiny", handle, replicas=Replicas(lambda: running))


def _asked(content: str) -> dict[str, Any]:
    return {"model": "tiny", "messages": [{"role": "user", "content": content}]}


def _said(asked: HandleModel, content: str) -> list[str]:
    async def pieces() -> list[str]:
        return [piece async for piece in asked.chat_stream(_asked(content))]

    return asyncio.run(pieces())


def test_a_completion_is_openais_json() -> None:
    said = asyncio.run(_model(Scripted).chat(_asked("Hello")))
    assert said["choices"][0]["message"]["content"] == "Hi"


def test_what_the_engine_refuses_is_the_callers_to_mend() -> None:
    with pytest.raises(DoorError) as refused:
        asyncio.run(_model(Scripted).chat(_asked("refuse")))
    assert refused.value.status == 422
    assert refused.value.message == "max_tokens is too large"


@pytest.mark.parametrize("how", ["die", "dead"])
def test_a_failed_engine_is_503_with_a_hint_and_a_time_and_none_of_its_words(how: str) -> None:
    with pytest.raises(DoorError) as failed:
        asyncio.run(_model(Scripted).chat(_asked(how)))
    assert failed.value.status == 503
    assert failed.value.hint
    assert int(failed.value.headers["Retry-After"]) > 20
    assert SECRET not in str(failed.value.body())


@pytest.mark.usefixtures("_patience")
def test_a_slow_answer_is_waited_for_while_a_replica_is_there() -> None:
    assert asyncio.run(_model(Scripted).chat(_asked("wait")))["choices"]


@pytest.mark.usefixtures("_patience")
def test_where_no_replica_is_there_the_request_ends() -> None:
    with pytest.raises(DoorError) as failed:
        asyncio.run(asyncio.wait_for(_model(Gone, running=0).chat(_asked("Hello")), 5))
    assert failed.value.body() == unavailable("no replica of the model runs").body()


def test_a_controller_that_cannot_say_is_no_reason_to_give_up() -> None:
    def count() -> int:
        raise KeyError("casper")

    assert asyncio.run(Replicas(count).any_runs())


def test_many_who_wait_ask_the_controller_once() -> None:
    asked: list[int] = []

    async def all_of_them() -> list[bool]:
        replicas = Replicas(lambda: asked.append(1) or 1)
        return await asyncio.gather(*(replicas.any_runs() for _ in range(50)))

    assert all(asyncio.run(all_of_them()))
    assert len(asked) == 1


def test_a_stream_is_server_sent_events_with_an_end() -> None:
    assert _said(_model(Scripted), "Hello") == ['data: {"n":1}\n\n', 'data: {"n":2}\n\n', DONE]


def test_a_stream_that_is_refused_raises_before_its_first_piece() -> None:
    with pytest.raises(DoorError) as refused:
        _said(_model(Scripted), "refuse")
    assert refused.value.status == 422


@pytest.mark.parametrize("how", ["die", "dead"])
def test_a_stream_that_breaks_ends_with_the_error(how: str) -> None:
    first, error, done = _said(_model(Scripted), how)
    assert first == 'data: {"n":1}\n\n'
    assert json.loads(error.removeprefix("data: "))["error"]["type"] == "unavailable"
    assert SECRET not in error
    assert done == DONE
