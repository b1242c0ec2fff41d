"""Shares from batch to batch: bins, steps and gaps."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quality_samples import WALL, evidence, judged

from casper_ray.medallion.report.trend import MOST_BINS, Bins, bins_over, points, rule_points


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=20))
def test_every_batch_has_a_bin_and_there_are_few(numbers: list[int]) -> None:
    bins = bins_over(pl.Series("batch", numbers, pl.Int64))
    found = pl.DataFrame({"batch": numbers}).select(bins.of_batch)["bin"].to_list()
    assert all(0 <= one < bins.number for one in found)
    assert {0, bins.number - 1} <= set(found)
    assert bins.number <= MOST_BINS


def test_bins_cover_all_that_is_named() -> None:
    empty = pl.Series("batch", [], pl.Int64)
    assert bins_over(pl.Series("batch", [3, 5]), empty, pl.Series("batch", [1])) == Bins(1, 5, 1)
    with pytest.raises(ValueError, match="no batch"):
        bins_over(empty)


def outline(part: list[int | None], whole: list[int], bins: Bins) -> list[tuple[float, float | None]]:
    numbers = range(bins.first, bins.first + len(part))
    rows = pl.DataFrame({"batch": numbers, "part": part, "whole": whole}).filter(pl.col("part").is_not_null())
    return points(rows, bins, part="part", whole="whole").rows()


def test_a_bin_is_a_step_from_its_first_batch_to_the_next_bin() -> None:
    assert outline([1, 3], [4, 4], Bins(1, 2, 1)) == [(0.5, 0.25), (1.5, 0.25), (1.5, 0.75), (2.5, 0.75)]


def test_the_share_of_a_bin_is_of_all_its_rows_and_the_last_bin_may_be_short() -> None:
    steps = outline([0, 90, 5], [10, 90, 10], Bins(1, 3, 2))
    assert steps == [(0.5, 0.9), (2.5, 0.9), (2.5, 0.5), (3.5, 0.5)]


def test_a_bin_without_rows_is_a_gap() -> None:
    steps = outline([1, None, 0], [4, 4, 0], Bins(1, 3, 1))
    assert [y for _, y in steps] == [0.25, 0.25, None, None, None, None]


def test_without_a_whole_it_is_the_mean_of_the_batches_in_a_short_bin_too() -> None:
    rows = pl.DataFrame({"batch": [1, 2, 3], "part": [10, 20, 30]})
    assert points(rows, Bins(1, 3, 2), part="part", whole=None).rows() == [
        (0.5, 15),
        (2.5, 15),
        (2.5, 30),
        (3.5, 30),
    ]


def test_no_rows_at_all_are_one_gap() -> None:
    rows = pl.DataFrame(schema={"batch": pl.Int64, "part": pl.Int64})
    assert points(rows, Bins(1, 1, 1), part="part", whole=None).rows() == [(0.5, None), (1.5, None)]


def test_the_trend_of_a_rule_leaves_stopped_attempts_out() -> None:
    stopped = {"run": "run-2", "ingested_at": WALL}
    log = evidence(
        [
            judged(1, "id", 0, 9, stopped=True, **stopped),
            judged(1, "price", 0, 9, **stopped),
            judged(1, "price", 3, 1),
        ]
    ).log
    found = rule_points(log, Bins(1, 1, 1))
    assert found["orders", "price"]["y"].to_list() == [0.25, 0.25]
    assert ("orders", "id") not in found
