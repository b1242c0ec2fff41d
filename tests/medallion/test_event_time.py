"""Texts become instants, those that are none become null, and the others do not suffer from them."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from casper_ray.medallion.event_time import event_times

USUAL = "2024-01-10 13:59:07.250"
INSTANT = datetime(2024, 1, 10, 13, 59, 7, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("other", [None, "when?", "", "2024-02-30 00:00:00.000", "0999-12-31 23:59:59.999"])
def test_what_is_no_instant_is_null_and_takes_nothing_with_it(other: str | None) -> None:
    texts = pl.Series("entered_ts", [USUAL, other], dtype=pl.String)
    assert event_times(texts).to_list() == [INSTANT, None]


def test_texts_of_any_column_are_told_under_one_name() -> None:
    found = event_times(pl.Series("entered_ts", [None, None], dtype=pl.String))
    assert (found.name, found.dtype) == ("event_ts", pl.Datetime("us", "UTC"))
    assert found.null_count() == 2


def test_milliseconds_may_be_left_out() -> None:
    assert event_times(pl.Series([USUAL[:19]])).to_list() == [INSTANT.replace(microsecond=0)]
