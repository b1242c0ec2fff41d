"""A case as a model and as a row of a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from casper_ray.agents.case import CASES, Case, no_cases

AT = datetime(2024, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)

made = st.builds(
    Case,
    case_id=st.text(),
    kind=st.text(),
    at=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    subject=st.text(),
    text=st.none() | st.text(),
    source_batch=st.integers(-1, 2**62),
)


@given(made)
def test_a_row_and_back(case: Case) -> None:
    frame = case.frame()
    assert frame.schema == CASES
    assert Case.of(frame.row(0, named=True)) == case
    assert Case.of({**frame.row(0, named=True), "more": 1}) == case


def test_instants_of_other_zones_are_the_same_instants() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    case = Case(case_id="c", kind="k", at=there, subject="s")
    assert case.frame()["at"].to_list() == [AT]


@pytest.mark.parametrize(
    "changed",
    [{"at": datetime(2024, 1, 1)}, {"more": 1}, {"text": "\ud800"}, {"subject": None}, {"at": None}],
)
def test_what_is_no_case(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Case(**{"case_id": "c", "kind": "k", "at": AT, "subject": "s", **changed})


def test_no_cases_is_a_table_of_cases() -> None:
    assert no_cases().equals(pl.DataFrame(schema=CASES))
