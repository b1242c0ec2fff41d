"""Shares and samples as texts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.medallion.report.words import Field, cut, sampled_rows, share


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "-"),
        (0, 9, "0%"),
        (9, 9, "100%"),
        (1, 3, "33.3%"),
        (1, 50, "2.00%"),
        (9_996, 100_000, "10.0%"),
        (1, 10**6, "<0.01%"),
        (999_999, 10**6, "99.9%"),
    ],
)
def test_a_share_is_zero_or_all_only_if_it_is(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text


@pytest.mark.parametrize("sample", [None, "", "[]"])
def test_no_sample_has_no_rows(sample: str | None) -> None:
    assert sampled_rows(sample) == []


def test_a_sample_is_at_most_three_rows_of_columns() -> None:
    rows = sampled_rows(json.dumps([{"order_id": "O1", "_line": n, "price": None} for n in range(9)]))
    assert len(rows) == 3
    assert rows[1] == [Field("order_id", "O1"), Field("_line", "1"), Field("price", "null")]


def test_a_sample_that_is_no_list_of_objects_is_shown_as_it_is() -> None:
    assert sampled_rows("{torn") == [[Field("", "{torn")]]
    assert sampled_rows('{"a": 1}') == [[Field("a", "1")]]
    assert sampled_rows('["x", 2]') == [[Field("", "x")], [Field("", "2")]]


def test_a_long_value_is_cut() -> None:
    ((field,),) = sampled_rows(json.dumps([{"name": "x" * 10_000}]))
    assert len(field.value) < 200


@given(st.text(), st.integers(1, 50))
def test_a_cut_text_is_one_line_of_that_length(text: str, chars: int) -> None:
    found = cut(text, chars)
    assert len(found) <= chars
    assert "\n" not in found


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_sample_can_be_shown(sample: str) -> None:
    assert len(sampled_rows(sample)) <= 3
