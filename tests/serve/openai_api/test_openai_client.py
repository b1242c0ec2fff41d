"""OpenAI's own client, sync and async, against agents and the LLM, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import ResponseCompletedEvent, ResponseTextDeltaEvent

from casper_ray.serve.openai_api.testing import ScriptedModel

ORDER = "AAA003"


@pytest.fixture
def client(door: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{door}/v1", api_key="key-of-operator", max_retries=0) as client:
        yield client


def of(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_agents_and_the_llm_are_models(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["refund", "tiny"]
    assert client.models.retrieve("refund").owned_by == "casper_ray"


def test_a_chat_with_an_agent_is_a_decision(client: OpenAI) -> None:
    said = client.chat.completions.create(model="refund", messages=of(json.dumps({"order_id": ORDER})))
    told = json.loads(said.choices[0].message.content)
    assert told["case_id"] == f"order:{ORDER}"
    assert told["gate_action"] in ("approved", "clipped", "queued", "refused")
    assert said.id == f"chatcmpl-{told['decision_id']}"
    assert said.choices[0].finish_reason == "stop"
    assert said.usage.total_tokens == 0


def test_a_streamed_chat_says_the_same(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="refund", messages=of(ORDER))
    chunks = list(
        client.chat.completions.create(
            model="refund", messages=of(ORDER), stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens == 0


def test_usage_is_streamed_only_where_it_is_asked_for(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="refund", messages=of(ORDER), stream=True))
    assert all(chunk.usage is None for chunk in chunks)


def test_a_response_of_an_agent_is_the_same_decision(client: OpenAI) -> None:
    chat = client.chat.completions.create(model="refund", messages=of(ORDER))
    said = client.responses.create(model="refund", input=f"What about order {ORDER}?")
    assert said.output_text == chat.choices[0].message.content
    assert said.status == "completed"


def test_a_streamed_response_tells_its_events_in_order(client: OpenAI) -> None:
    events = list(client.responses.create(model="refund", input=ORDER, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events if not isinstance(event, ResponseTextDeltaEvent)]
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    last = events[-1]
    assert isinstance(last, ResponseCompletedEvent)
    text = "".join(event.delta for event in events if isinstance(event, ResponseTextDeltaEvent))
    assert text == last.response.output_text


def test_the_clients_own_stream_of_responses_puts_it_together(client: OpenAI) -> None:
    with client.responses.stream(model="refund", input=ORDER) as stream:
        final = stream.get_final_response()
    assert json.loads(final.output_text)["case_id"] == f"order:{ORDER}"


def test_the_async_client_works_too(door: str) -> None:
    async def ask() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=f"{door}/v1", api_key="key-of-operator", max_retries=0) as client:
            whole = await client.responses.create(model="refund", input=ORDER)
            pieces = await client.chat.completions.create(model="refund", messages=of(ORDER), stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in pieces])
            return whole.output_text, text

    whole, streamed = asyncio.run(ask())
    assert whole == streamed


def test_a_case_that_was_decided_is_answered_as_before(client: OpenAI) -> None:
    asked = client.chat.completions.with_raw_response
    first = asked.create(model="refund", messages=of("AAA004"))
    again = asked.create(model="refund", messages=of("AAA004"))
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.text == first.text


def test_a_key_that_was_used_for_another_case_is_a_conflict(client: OpenAI) -> None:
    keyed = {"Idempotency-Key": "mine"}
    client.chat.completions.create(model="refund", messages=of("AAA005"), extra_headers=keyed)
    client.responses.create(model="refund", input="AAA005", extra_headers=keyed)
    with pytest.raises(openai.ConflictError):
        client.responses.create(model="refund", input="AAA006", extra_headers=keyed)


@pytest.mark.parametrize(
    ("role", "raised"),
    [
        ("nobody", openai.AuthenticationError),
        ("viewer", openai.PermissionDeniedError),
        ("auditor", openai.PermissionDeniedError),
    ],
)
def test_roles_that_may_not_decide_are_refused(
    door: str, role: str, raised: type[openai.APIStatusError]
) -> None:
    with OpenAI(base_url=f"{door}/v1", api_key=f"key-of-{role}", max_retries=0) as client:
        for ask in (
            lambda: client.chat.completions.create(model="refund", messages=of(ORDER)),
            lambda: client.responses.create(model="tiny", input=ORDER),
        ):
            with pytest.raises(raised) as refused:
                ask()
            assert set(refused.value.body) == {"type", "message", "hint"}


def test_a_refusal_has_its_status_when_a_stream_was_asked_for(client: OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="several cases"):
        client.responses.create(model="refund", input="AAA003 and AAA004", stream=True)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="refund", messages=of("ZZZZZZ"), stream=True)
    with pytest.raises(openai.ConflictError):
        client.chat.completions.create(model="refund", messages=of("AAB000"), stream=True)


def test_a_model_that_there_is_not_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model of that name"):
        client.chat.completions.create(model="gpt-6", messages=of(ORDER))
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-6")


def test_the_llm_is_given_the_request_as_it_is(client: OpenAI, llm: ScriptedModel) -> None:
    said = client.chat.completions.create(
        model="tiny", messages=of("hello"), temperature=0.5, extra_body={"top_k": 3}
    )
    assert said.choices[0].message.content == "You said:\nhello"
    assert said.usage.total_tokens == 120
    assert llm.asked[-1] == {"model": "tiny", "messages": of("hello"), "temperature": 0.5, "top_k": 3}


def test_the_llm_streams_chats_and_responses(client: OpenAI) -> None:
    chunks = client.chat.completions.create(model="tiny", messages=of("hello"), stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said:\nhello"
    with client.responses.stream(model="tiny", input="hello") as stream:
        final = stream.get_final_response()
    assert final.output_text == "You said:\nhello"
    assert final.usage.output_tokens == 20


@pytest.mark.parametrize("stream", [False, True])
def test_the_llm_calls_functions_through_responses(client: OpenAI, llm: ScriptedModel, stream: bool) -> None:
    tools = [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}]
    asked = {"model": "tiny", "instructions": "Be brief.", "tools": tools}
    question = of("How is it?")
    if stream:
        with client.responses.stream(input=question, **asked) as events:
            first = events.get_final_response()
    else:
        first = client.responses.create(input=question, **asked)
    (call,) = first.output
    assert (call.type, call.name, json.loads(call.arguments)) == (
        "function_call",
        "weather",
        {"city": "Bern"},
    )
    told = [
        *question,
        {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
        {"type": "function_call_output", "call_id": call.call_id, "output": "rain"},
    ]
    assert client.responses.create(input=told, **asked).output_text == "You said:\nrain"
    roles = [message["role"] for message in llm.asked[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "tool"]
