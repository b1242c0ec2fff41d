"""What agents pass over in a request, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.openai_api.harmless import HARMLESS, IGNORED, refuse_what_changes
from casper_ray.serve.openai_api.requests import ChatRequest, ResponsesRequest


def chat(**fields: Any) -> ChatRequest:
    return ChatRequest.model_validate(
        {"model": "refund", "messages": [{"role": "user", "content": "7K2P9Q"}], **fields}
    )


@pytest.mark.parametrize("name", sorted(IGNORED))
def test_what_steers_words_is_passed_over(name: str) -> None:
    refuse_what_changes(chat(**{name: None}))
    if name not in ChatRequest.model_fields:
        refuse_what_changes(chat(**{name: "anything"}))


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_what_is_not_set_is_harmless(name: str) -> None:
    refuse_what_changes(chat(**{name: None}))


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 1},
        {"tools": [], "tool_choice": "auto"},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "text"}},
        {"text": {"verbosity": "low"}},
        {"text": {"format": {"type": "text"}}},
        {"modalities": ["text"]},
        {"stop": []},
        {"logprobs": False},
    ],
)
def test_values_that_want_nothing_are_harmless(fields: dict[str, Any]) -> None:
    refuse_what_changes(chat(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 2},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
        {"text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}},
        {"stop": "}"},
        {"logprobs": True},
        {"modalities": ["text", "audio"]},
        {"functions": [{"name": "f"}]},
        {"no_such_field": 1},
    ],
)
def test_what_would_change_the_answer_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(DoorError) as refused:
        refuse_what_changes(chat(**fields))
    assert refused.value.status == 422
    assert "no_such_field" not in refused.value.message


@pytest.mark.parametrize("fields", [{"previous_response_id": "resp_1"}, {"background": True}])
def test_responses_that_would_have_to_be_kept_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(DoorError):
        refuse_what_changes(ResponsesRequest.model_validate({"model": "refund", "input": "7K2P9Q", **fields}))
