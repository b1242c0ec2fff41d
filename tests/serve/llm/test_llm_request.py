"""What of a caller's request reaches the engine, and what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.llm.request import engine_body

ASKED: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}


def test_openais_fields_are_passed_on() -> None:
    asked = {**ASKED, "temperature": 0, "tools": [], "response_format": {"type": "json_object"}}
    assert json.loads(engine_body(asked, stream=True, models=("tiny",), device="gpu")) == {
        **asked,
        "stream": True,
    }


def test_wishes_that_make_no_difference_are_dropped_and_nulls_too() -> None:
    asked = {**ASKED, "user": "somebody", "store": False, "temperature": None}
    assert json.loads(engine_body(asked, stream=False, models=("tiny",), device="gpu")) == {
        **ASKED,
        "stream": False,
    }


@pytest.mark.parametrize(
    "field",
    ["chat_template", "structured_outputs", "kv_transfer_params", "mm_processor_kwargs", "vllm_xargs", "new"],
)
def test_what_is_vllms_own_is_refused(field: str) -> None:
    with pytest.raises(DoorError) as refused:
        engine_body({**ASKED, field: "x"}, stream=False, models=("tiny",), device="gpu")
    assert refused.value.status == 422
    assert field in refused.value.message


def test_content_that_the_engine_would_fetch_is_refused() -> None:
    picture = {"type": "image_url", "image_url": {"url": "http://127.0.0.1/secret"}}
    for messages in ([{"role": "user", "content": [picture]}], [{"role": "user", "content": ["bare"]}]):
        with pytest.raises(DoorError) as refused:
            engine_body({**ASKED, "messages": messages}, stream=False, models=("tiny",), device="gpu")
        assert refused.value.status == 422
        assert "127.0.0.1" not in str(refused.value.body())


def test_parts_of_text_are_passed_on() -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    assert engine_body({**ASKED, "messages": messages}, stream=False, models=("tiny",), device="gpu")


def test_another_model_is_not_there() -> None:
    with pytest.raises(DoorError) as refused:
        engine_body({**ASKED, "model": "huge"}, stream=False, models=("tiny", "kind"), device="gpu")
    assert refused.value.status == 404


def test_an_adapter_is_a_model() -> None:
    assert engine_body({**ASKED, "model": "kind"}, stream=False, models=("tiny", "kind"), device="gpu")


def test_a_caller_cannot_ask_for_many_answers_at_once() -> None:
    with pytest.raises(DoorError) as refused:
        engine_body({**ASKED, "n": 17}, stream=False, models=("tiny",), device="gpu")
    assert refused.value.status == 422


def test_a_seed_that_would_end_an_engine_on_cpus_is_refused_there_alone() -> None:
    asked = {**ASKED, "seed": 1}
    assert json.loads(engine_body(asked, stream=False, models=("tiny",), device="gpu"))["seed"] == 1
    with pytest.raises(DoorError) as refused:
        engine_body(asked, stream=False, models=("tiny",), device="cpu")
    assert refused.value.status == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#"}}}},
        {"tools": [{"type": "function", "function": {"name": "a"}}] * 129},
        {
            "tools": [{"type": "function", "function": {"name": "a"}}],
            "tool_choice": {"type": "function", "function": {"name": "b"}},
        },
    ],
)
def test_what_the_engine_would_fail_at_within_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DoorError) as refused:
        engine_body({**ASKED, **wrong}, stream=False, models=("tiny",), device="cpu")
    assert refused.value.status == 422


@pytest.mark.parametrize(
    "right",
    [
        {"response_format": {"type": "json_object"}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "object"}},
            }
        },
        {
            "tools": [{"type": "function", "function": {"name": "a"}}],
            "tool_choice": {"type": "function", "function": {"name": "a"}},
        },
    ],
)
def test_schemas_and_tools_that_mean_something_are_passed_on(right: dict[str, Any]) -> None:
    sent = json.loads(engine_body({**ASKED, **right}, stream=False, models=("tiny",), device="cpu"))
    assert right.items() <= sent.items()
