"""A response's request as a chat's: what is carried over, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.openai_api.requests import ResponsesRequest
from casper_ray.serve.openai_api.translated import chat_request, conversation


def asked(input_: Any = "hello", **fields: Any) -> ResponsesRequest:
    return ResponsesRequest.model_validate({"model": "tiny", "input": input_, **fields})


def test_text_and_instructions_become_messages() -> None:
    assert chat_request(asked(instructions="Be brief.", max_output_tokens=9, temperature=0)) == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
        "max_completion_tokens": 9,
        "temperature": 0,
    }


def test_parts_are_chats_parts() -> None:
    parts = [{"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b", "annotations": []}]
    (message,) = chat_request(asked([{"role": "user", "content": parts}]))["messages"]
    assert message["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]


def test_calls_that_follow_each_other_are_one_turn() -> None:
    calls = [
        {"type": "function_call", "call_id": f"c{number}", "name": "f", "arguments": "{}"}
        for number in (1, 2)
    ]
    answers = [{"type": "function_call_output", "call_id": f"c{number}", "output": "x"} for number in (1, 2)]
    thought = {"type": "reasoning", "id": "r", "summary": []}
    user = {"role": "user", "content": "go"}
    messages = chat_request(asked([user, thought, *calls, *answers]))["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in messages[1]["tool_calls"]] == ["c1", "c2"]


def test_forms_and_tools_are_chats() -> None:
    body = chat_request(
        asked(
            text={
                "format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}
            },
            tools=[{"type": "function", "name": "f", "parameters": {}}],
            tool_choice={"type": "function", "name": "f"},
        )
    )
    form = {"name": "a", "schema": {"type": "object"}, "strict": True}
    assert body["response_format"] == {"type": "json_schema", "json_schema": form}
    assert body["tools"] == [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    "request_",
    [
        asked(previous_response_id="r"),
        asked(background=True),
        asked(conversation="c"),
        asked([{"type": "item_reference", "id": "x"}]),
        asked([{"role": "user", "content": [{"type": "input_image", "image_url": "http://127.0.0.1/"}]}]),
        asked([{"role": "user", "content": [7]}]),
        asked([{"role": "user"}]),
        asked([{"type": "function_call", "name": "f"}]),
        asked(tools=[{"type": "web_search"}]),
        asked(tools=[{"type": "function"}]),
        asked(tool_choice={"type": "file_search"}),
        asked(text={"format": {"type": "grammar"}}),
        asked(text={"format": 7}),
    ],
)
def test_what_a_chat_cannot_do_is_refused(request_: ResponsesRequest) -> None:
    with pytest.raises(DoorError) as refused:
        chat_request(request_)
    assert refused.value.status == 422


@pytest.mark.parametrize("item", [{"role": "king", "content": "x"}, {"content": "x"}, {"type": "what"}])
def test_items_that_are_no_messages_are_refused_for_agents_too(item: dict[str, Any]) -> None:
    with pytest.raises(DoorError):
        conversation(asked([item]))
