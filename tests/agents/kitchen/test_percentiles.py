"""Percentiles of moving windows are those of the nearest rank, whatever the windows do."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.agents.kitchen.percentiles import SHARES, nth_of_windows, window_percentiles

Windows = tuple[list[float], list[int], list[int]]


def nearest_rank(values: list[float]) -> list[float]:
    """By counting: the least value that so large a share of the values does not exceed."""
    exact = [Fraction(str(share)) for share in SHARES]
    return [
        min((v for v in values if sum(x <= v for x in values) >= share * len(values)), default=float("nan"))
        for share in exact
    ]


@st.composite
def windows(draw: st.DrawFn) -> Windows:
    """Windows whose ends do not fall: with gaps, repeats and empty ones."""
    values = draw(st.lists(st.integers(-5, 60).map(lambda n: n / 4), max_size=40))
    count = draw(st.integers(0, 12))
    places = st.lists(st.integers(0, len(values)), min_size=count, max_size=count).map(sorted)
    first, last = draw(places), draw(places)
    return values, first, [max(pair) for pair in zip(first, last, strict=True)]


@given(windows())
def test_each_window_is_as_if_it_were_alone(told: Windows) -> None:
    values, first, last = told
    found = window_percentiles(
        np.array(values, np.float64), np.array(first, np.int64), np.array(last, np.int64)
    )
    assert found.shape == (len(first), len(SHARES))
    for row, start, stop in zip(found.tolist(), first, last, strict=True):
        wanted = nearest_rank(values[start:stop])
        assert row == wanted or all(map(isnan, row + wanted))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 20, 99, 100, 101, 200, 399, 400, 401, 700, 1000])
def test_ranks_are_exact_at_round_counts(count: int) -> None:
    """Of 1 to n, the percentile is the rank itself: one off shows."""
    found = window_percentiles(np.arange(1.0, count + 1), np.array([0]), np.array([count]))
    assert found.tolist() == [[ceil(Fraction(n, 100) * count) for n in (50, 75, 99)]]


def test_values_in_any_order_and_repeated() -> None:
    values = np.array([9.0, 1.0, 9.0, 1.0, 5.0])
    found = window_percentiles(values, np.array([0, 0, 2, 4]), np.array([4, 4, 5, 5]))
    assert found.tolist() == [[1.0, 9.0, 9.0], [1.0, 9.0, 9.0], [5.0, 9.0, 9.0], [5.0, 5.0, 5.0]]


@given(st.data(), st.lists(st.integers(-5, 60).map(lambda n: n / 4), min_size=1, max_size=70))
def test_nth_of_windows_in_any_order(data: st.DataObject, values: list[float]) -> None:
    """Each as if its window were sorted by itself, whatever the others are."""
    places = st.integers(0, len(values) - 1)
    asked = data.draw(st.lists(st.tuples(places, places, places), max_size=30))
    windows = [(min(a, b), max(a, b) + 1, n % (abs(a - b) + 1)) for a, b, n in asked]
    first, last, nth = np.array(windows, np.int64).reshape(-1, 3).T
    found = nth_of_windows(np.array(values), first, last, nth)
    assert found.tolist() == [sorted(values[start:stop])[n] for start, stop, n in windows]


def test_many_windows_are_told_as_few_are() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 500, 3_000) / 8
    first = rng.integers(0, 3_000, 1_500)
    last = np.minimum(first + rng.integers(0, 700, 1_500), 3_000)
    together = window_percentiles(values, first, last)
    singly = [
        window_percentiles(values, *pair)[0] for pair in zip(first[:, None], last[:, None], strict=True)
    ]
    np.testing.assert_array_equal(together, np.array(singly))
