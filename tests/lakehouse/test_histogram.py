"""Amounts of shares, and shares of amounts, read from one histogram."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.lakehouse.histogram import BUCKETS, amounts_at, bounds, shares_below

_COUNTS = st.lists(st.integers(0, 9), min_size=BUCKETS, max_size=BUCKETS).filter(any)


@given(counts=_COUNTS, share=st.floats(0.01, 0.99))
def test_as_much_is_below_an_amount_as_it_was_read_for(counts: list[int], share: float) -> None:
    """But for the rounding to cents, which moves it by a part of a bucket."""
    histogram = np.array([counts], np.float64)
    cents = np.rint(100 * amounts_at(histogram, share)).astype(np.int64)
    low, high = (shares_below(histogram, cents + step) for step in (-1, 1))
    assert low[0] - 1e-9 <= share <= high[0] + 1e-9


@given(counts=_COUNTS)
def test_shares_rise_from_none_to_all(counts: list[int]) -> None:
    cents = np.concatenate([[1], bounds(), bounds()[-1:] * 11])
    shares = shares_below(np.repeat([np.array(counts, np.float64)], len(cents), axis=0), cents)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert (np.diff(shares) >= 0).all()


def test_what_is_before_a_bucket_is_below_its_bound() -> None:
    counts = np.zeros((1, BUCKETS))
    counts[0, 5], counts[0, 6] = 3, 1
    assert shares_below(counts, bounds()[5:6]) == pytest.approx([0.75])


def test_nothing_counted_has_no_share() -> None:
    assert np.isnan(shares_below(np.zeros((1, BUCKETS)), np.array([100]))).all()
