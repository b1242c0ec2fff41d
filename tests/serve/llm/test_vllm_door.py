"""A real vLLM behind a real door: OpenAI's client, structured output, tools, streams, adapters, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from openai import NotFoundError, OpenAI, UnprocessableEntityError
from served_llm import Door

pytestmark = pytest.mark.vllm

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
ANSWER = {
    "type": "object",
    "properties": {
        "outcome": {"type": "string", "enum": ["refund", "none"]},
        "usd": {"type": "number", "minimum": 0, "maximum": 50},
        "reason": {"type": "string", "maxLength": 20},
    },
    "required": ["outcome", "usd", "reason"],
    "additionalProperties": False,
}
FORMAT: Any = {"type": "json_schema", "json_schema": {"name": "Answer", "schema": ANSWER, "strict": True}}
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Bern", "Graz"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


def _formatted(schema: dict[str, Any]) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}


def _nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "pattern": "(a{1,9}){1,9}" * 20, "maxLength": 10_000_000}
    for _ in range(depth):
        schema = {"type": "array", "items": schema, "maxItems": 10_000_000}
    return schema


LONG: list[Any] = [{"role": "user", "content": "word " * 3_000}]
HOSTILE: list[dict[str, Any]] = [
    {"messages": LONG, "temperature": 1},
    {"messages": LONG, "n": 16, "temperature": 1},
    {"messages": LONG, "seed": 7, "temperature": 1},
    {"logit_bias": {"99999999": 100}},
    {"logit_bias": {"-1": 100}},
    {"logit_bias": {str(token): 100 for token in range(2_000)}},
    {"logprobs": True, "top_logprobs": 20},
    {"logprobs": True, "top_logprobs": 100_000},
    {"stop": ["\x00", "", "a" * 10_000]},
    {"max_tokens": 0},
    {"max_tokens": -1},
    {"temperature": 1e308},
    {"top_p": 0},
    {"presence_penalty": 2, "frequency_penalty": -2, "temperature": 2},
    {"messages": [{"role": "user", "content": "\x00\ud83d<|end|><tool_call>" * 50}]},
    {"messages": [{"role": "tool", "tool_call_id": "none", "content": "x"}]},
    {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "x"}]}]},
    {"tools": [{"type": "function", "function": {"name": "a" * 5_000, "parameters": {"type": "no"}}}]},
    {"tools": [WEATHER] * 200, "tool_choice": "required"},
    {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "other"}}},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema"}},
    _formatted({"$ref": "#"}),
    _formatted({"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:1/x"}}}),
    _formatted({"type": "string", "pattern": "(?=a)(b*)*c\\1"}),
    _formatted({"type": "string", "minLength": 10_000_000}),
    _formatted({"enum": ["x" * 100] * 1_000}),
    _formatted(_nested(12)),
]


@pytest.fixture(scope="module")
def client(llm_door: Door) -> Iterator[OpenAI]:
    with httpx2.Client(trust_env=False) as door:
        yield OpenAI(
            base_url=f"{llm_door.url}/v1",
            api_key=llm_door.key,
            max_retries=0,
            timeout=300,
            http_client=door,
        )


def test_the_model_and_its_adapter_are_listed_after_the_agents(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["complaint", "tiny", "kind"]


def test_structured_output_is_of_its_schema(client: OpenAI) -> None:
    said = client.chat.completions.create(
        model="tiny", messages=HELLO, response_format=FORMAT, max_tokens=200, temperature=1
    )
    assert said.choices[0].finish_reason == "stop"
    answer = json.loads(said.choices[0].message.content or "")
    assert set(answer) == {"outcome", "usd", "reason"}
    assert answer["outcome"] in ("refund", "none")
    assert len(answer["reason"]) <= 20


def test_a_required_tool_is_called_with_arguments_of_its_schema(client: OpenAI) -> None:
    said = client.chat.completions.create(
        model="tiny",
        messages=HELLO,
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=False,
        max_tokens=1_000,
        temperature=1,
    )
    calls: Any = said.choices[0].message.tool_calls
    assert calls
    assert {call.function.name for call in calls} == {"weather"}
    assert all(json.loads(call.function.arguments)["city"] in ("Bern", "Graz") for call in calls)


def test_a_model_may_leave_its_tools_alone(client: OpenAI) -> None:
    said = client.chat.completions.create(
        model="tiny", messages=HELLO, tools=[WEATHER], tool_choice="auto", max_tokens=20
    )
    assert said.choices[0].finish_reason in ("length", "stop", "tool_calls")


def test_a_stream_says_what_the_whole_answer_says(client: OpenAI) -> None:
    asked: dict[str, Any] = {"model": "tiny", "messages": HELLO, "max_tokens": 30, "temperature": 0}
    whole = client.chat.completions.create(**asked)
    stream = client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert len(chunks) > 5


def test_a_response_is_the_same_model(client: OpenAI) -> None:
    asked: dict[str, Any] = {"model": "tiny", "temperature": 0}
    said = client.responses.create(**asked, input="Hello", max_output_tokens=30)
    whole = client.chat.completions.create(**asked, messages=HELLO, max_tokens=30)
    assert said.output_text == whole.choices[0].message.content


def test_an_adapter_says_something_else(client: OpenAI) -> None:
    asked: dict[str, Any] = {"messages": HELLO, "max_tokens": 20, "temperature": 0}
    plain = client.chat.completions.create(model="tiny", **asked)
    kind = client.chat.completions.create(model="kind", **asked)
    assert kind.model == "kind"
    assert kind.choices[0].message.content != plain.choices[0].message.content


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": 1_000_000},
        {"temperature": 99},
        {"seed": 1},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "no"}}}},
        {"extra_body": {"chat_template": "{{ 1 }}"}},
        {"messages": [{"role": "user", "content": "word " * 20_000}]},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_the_engine_refuses_is_422_in_the_doors_shape(client: OpenAI, wrong: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"model": "tiny", "messages": HELLO, "max_tokens": 5}
    with pytest.raises(UnprocessableEntityError) as refused:
        client.chat.completions.create(**{**asked, **wrong})
    error: Any = refused.value.body
    assert error["type"] == "invalid"
    assert error["message"]


def test_a_stream_that_is_refused_has_its_status(client: OpenAI) -> None:
    with pytest.raises(UnprocessableEntityError):
        client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=1_000_000, stream=True)


def test_another_model_is_not_there(client: OpenAI) -> None:
    with pytest.raises(NotFoundError):
        client.chat.completions.create(model="huge", messages=HELLO)


def test_without_a_key_nothing_is_answered(llm_door: Door) -> None:
    with httpx2.Client(trust_env=False) as door:
        said = door.post(f"{llm_door.url}/v1/chat/completions", json={"model": "tiny", "messages": HELLO})
    assert said.status_code == 401


def test_hostile_requests_leave_the_engine_alive(llm_door: Door, client: OpenAI) -> None:
    engines = {process.pid for process in llm_door.engines()}
    with llm_door.client() as door, ThreadPoolExecutor(8) as threads:

        def status(wrong: dict[str, Any]) -> int:
            asked = {"model": "tiny", "messages": HELLO, "max_tokens": 5, **wrong}
            sent = json.dumps(asked)
            kind = {"Content-Type": "application/json"}
            return door.post("/v1/chat/completions", content=sent, headers=kind).status_code

        statuses = list(threads.map(status, HOSTILE))
    assert set(statuses) <= {200, 422}, dict(zip(map(str, HOSTILE), statuses, strict=True))
    assert client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=5).usage
    assert {process.pid for process in llm_door.engines()} == engines


def test_many_at_once_are_all_answered(client: OpenAI) -> None:
    def asked(number: int) -> int:
        said = client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": f"Number {number}"}], max_tokens=10
        )
        assert said.usage is not None
        return said.usage.completion_tokens

    with ThreadPoolExecutor(32) as threads:
        assert all(0 < tokens <= 10 for tokens in threads.map(asked, range(64)))
