"""How deep a JSON text is, without parsing it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.serve.door.json_depth import is_deeper

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(st.sampled_from('[]{}"\\a\n\u2028é')),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.sampled_from('[{"\\')), inner, max_size=3)
    ),
    max_leaves=30,
)


def depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(depth, inside), default=0)


@given(value=JSON, indent=st.sampled_from([None, 1]), escaped=st.booleans())
def test_the_depth_is_the_parsers(value: Any, indent: int | None, escaped: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=escaped).encode()
    assert not is_deeper(text, depth(value))
    if depth(value):
        assert is_deeper(text, depth(value) - 1)


@given(text=st.binary(), limit=st.integers(0, 3))
def test_any_bytes_have_an_answer(text: bytes, limit: int) -> None:
    assert not (is_deeper(text, limit + 1) and not is_deeper(text, limit))


@pytest.mark.parametrize(
    "text",
    [
        b'"' + b'\\"' * 130_000,
        b'"a' * 130_000,
        b'"\\' * 130_000,
        b"\\" * 260_000 + b"[" * 50,
        b"[]" * 130_000,
        b'["' * 130_000,
        b"[" * 50 + b'"' + b"\\\\" * 130_000,
        b'[{"a":"b"}],' * 20_000,
    ],
)
def test_no_text_of_the_usual_limit_takes_long(text: bytes) -> None:
    began = time.process_time()
    is_deeper(b"[" * 33 + text, 1_000_000)
    is_deeper(b"[]" * 33 + text, 32)
    assert time.process_time() - began < 0.5
