"""Slices, pairs and degrees against what looking at every row says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.agents.features.index import Pairs, Spread, Timeline, totals

Row = tuple[int, int, int]
_ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 6)), max_size=25)
_BEYOND = 5
"""Accounts and others are 0 to 3; they are asked for from -1, which is nobody, to this."""


@given(rows=_ROWS, until=st.integers(-1, 8))
def test_a_slice_ends_where_the_future_begins(rows: list[Row], until: int) -> None:
    rows = sorted(rows, key=lambda row: (row[0], row[2]))
    instants = np.array([r[2] for r in rows], np.int64)
    timeline = Timeline(np.array([r[0] for r in rows], np.int64), instants, np.unique(instants))
    groups = np.arange(-1, _BEYOND)
    begins, ends = timeline.begin(groups), timeline.end(groups, np.full(len(groups), until))
    found = Spread.of(begins, ends)
    for place, group in enumerate(groups):
        mine = [n for n, row in enumerate(rows) if row[0] == group and row[2] <= until]
        assert found.place[found.slice == place].tolist() == mine
    sums = totals(np.array([r[1] for r in rows], np.int64)[found.place], found.ends(len(groups)))
    assert sums.tolist() == [sum(r[1] for r in rows if r[0] == g and r[2] <= until) for g in groups]


@given(rows=_ROWS, at=st.integers(-1, 8), own=st.integers(0, 25))
def test_pairs_know_who_dealt_with_whom_by_when(rows: list[Row], at: int, own: int) -> None:
    """own: the number of a row that does not count for its account; 0: none."""
    rows = sorted(rows, key=lambda row: row[2])
    columns = np.array(rows, np.int64).reshape(-1, 3)
    numbers = np.arange(1, len(rows) + 1, dtype=np.uint64)
    pairs = Pairs(columns[:, 0], columns[:, 1], columns[:, 2], numbers, np.arange(9))
    asked = [(account, other) for account in range(-1, _BEYOND) for other in range(-1, _BEYOND)]
    accounts, others = np.array(asked, np.int64).T
    at_us, owns = np.full(len(asked), at), np.full(len(asked), own, np.uint64)
    dealt, degree = pairs.dealt(accounts, others, at_us, owns), pairs.degree(accounts, others, at_us, owns)
    for (account, other), told, count in zip(asked, dealt, degree, strict=True):
        known = [
            row[:2]
            for number, row in enumerate(rows, 1)
            if row[2] <= at and (number != own or row[0] != account)
        ]
        assert told == ((account, other) in known)
        assert count == len({row[0] for row in known if row[1] == other})


def test_sums_are_exact_where_floats_are_not() -> None:
    cents = np.array([2**53, 1, 1], np.int64)
    assert totals(cents, np.array([0, 3])).tolist() == [2**53 + 2]


@pytest.mark.parametrize("slices", [0, 3])
def test_no_rows_have_no_slices(slices: int) -> None:
    nothing = np.array([], np.int64)
    timeline = Timeline(nothing, nothing, nothing)
    groups = np.arange(slices)
    found = Spread.of(timeline.begin(groups), timeline.end(groups, groups))
    assert len(found.place) == 0
    assert found.ends(slices).tolist() == [0] * (slices + 1)
