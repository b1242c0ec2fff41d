"""Columns of text say what Python's own formatting says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.sim.text import degrees, joined, timestamps


@pytest.mark.parametrize(
    "micro",
    [
        [37_791_000, 38_000_000, 37_000_001],
        [-122_392_900, -122_000_000],
        [-99_999_999, -100_000_001, -87_632_100],
        [-1, 0, 1, -1_000_000, 9_999_999, 10_000_000],
        [],
    ],
)
def test_degrees_have_six_digits_after_the_point(micro: list[int]) -> None:
    said = [f"{'-' if m < 0 else ''}{abs(m) // 10**6}.{abs(m) % 10**6:06d}" for m in micro]
    assert degrees(np.array(micro, dtype=np.int64)).to_list() == said


@given(st.integers(0, 4_000_000_000_000), st.lists(st.integers(0, 200_000_000), max_size=20))
def test_timestamps_are_utc_to_the_millisecond(first: int, later: list[int]) -> None:
    unix_ms = [first + ms for ms in later]
    said = [
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        for ms in unix_ms
    ]
    assert timestamps(np.array(unix_ms, dtype=np.int64)).to_list() == said


def test_words_are_joined_by_group() -> None:
    words = pl.Series(["a", "b", "c", "d"])
    assert joined(words, np.array([0, 1, 4])).to_list() == ["a", "b,c,d"]
