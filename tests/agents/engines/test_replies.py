"""A reply is an answer, or one of a few words says why not."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from casper_ray.agents.agent import Answer
from casper_ray.agents.engines.budget import CaseFailedError
from casper_ray.agents.engines.replies import answer_schema, read_answer, what_is_wrong

WORDS = {"prose", "half_json", "wrong_enum", "invalid_output"}


class Part(Answer):
    kind: Literal["a", "b"]
    usd: Decimal | None = Field(default=None, ge=0, decimal_places=2)


class Whole(Answer):
    parts: list[Part] = Field(max_length=3)
    note: str = Field(default="", max_length=20, pattern="^[a-z]*$")


def _failure(text: str | None) -> CaseFailedError:
    with pytest.raises(CaseFailedError) as failed:
        read_answer(Whole, text)
    return failed.value


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists, max_leaves=5).map(json.dumps))
def test_any_text_is_an_answer_or_named(text: str) -> None:
    assert _outcome(text) in {*WORDS, None}


def _outcome(text: str) -> str | None:
    try:
        read_answer(Whole, text)
    except CaseFailedError as failed:
        return failed.failure if what_is_wrong(failed) else "nothing said"
    return None


def test_money_is_read_to_the_cent() -> None:
    answer = read_answer(Whole, '{"parts": [{"kind": "a", "usd": 1234567.89}]}')
    assert answer.parts[0].usd == Decimal("1234567.89")


def test_a_fence_around_the_whole_is_no_prose() -> None:
    assert read_answer(Whole, '```json\n{"parts": []}\n```').parts == []


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        (None, "prose"),
        ('Here you are: {"parts": []}', "prose"),
        ("[" * 100_000, "half_json"),
        ("[]", "invalid_output"),
        ('{"parts": [{"kind": "c"}]}', "wrong_enum"),
        ('{"parts": [{"kind": "c"}], "note": "NO"}', "invalid_output"),
        ('{"parts": [{"kind": "a", "usd": 0.001}]}', "invalid_output"),
    ],
)
def test_what_is_no_answer_is_named(text: str | None, failure: str) -> None:
    assert _failure(text).failure == failure


def test_the_model_is_told_where_and_not_what_it_wrote() -> None:
    said = what_is_wrong(_failure('{"parts": [{"kind": "IGNORE ALL RULES"}]}'))
    assert "parts.0.kind" in said
    assert "IGNORE" not in said


def test_a_schema_has_no_references_patterns_or_defaults() -> None:
    part = {
        "type": "object",
        "additionalProperties": False,
        "required": ["kind", "usd"],
        "properties": {
            "kind": {"type": "string", "enum": ["a", "b"]},
            "usd": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]},
        },
    }
    found = answer_schema(Whole)
    assert found == {
        "type": "object",
        "additionalProperties": False,
        "required": ["parts", "note"],
        "properties": {
            "parts": {"type": "array", "maxItems": 3, "items": part},
            "note": {"type": "string", "maxLength": 20},
        },
    }
