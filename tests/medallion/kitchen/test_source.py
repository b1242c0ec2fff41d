"""Event lines become events with an instant; what has none is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.domain.kitchen import EVENT_COLUMNS
from casper_ray.medallion.columns import LINE
from casper_ray.medallion.kitchen.source import parse_events

EventLine = Callable[..., bytes]
instants = st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 31))


@pytest.mark.parametrize("usual_only", [True, False])
@given(st.lists(instants, min_size=1, max_size=12))
def test_times_are_those_that_the_standard_library_reads(
    event_line: EventLine, usual_only: bool, times: list[datetime]
) -> None:
    texts = [f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d}" for time in times]
    texts += [] if usual_only else ["2024-01-01 00:00:00"]
    parsed = parse_events(b"".join(event_line(i, ts=text) for i, text in enumerate(texts)))
    expected = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts]
    assert parsed.events["event_ts"].to_list() == expected
    assert parsed.events["ts"].to_list() == texts
    assert parsed.rejected.height == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "2024-01-01T00:00:00",
        "2024-01-01",
        "2024-02-30 00:00:00.000",
        "2024-01-01 24:00:00.000",
        "2024-01-01 00:60:00.000",
        "2024-01-01 00:00:61.000",
        "2024-01-01 00:00:00.000Z",
        "2024-01-01 00:00:00.000\n",
        "2024-01-01 00:00:0\u0663.000",
        "2024-01-01 00:00:00.00\u0661",
        "0000-01-01 00:00:00.000",
        "0001-01-01 00:00:00.000",
        "0999-12-31 23:59:59.999",
        "9999-01-01 00:00:00.000",
        "+12024-01-01 00:00:00.000",
        "-0001-01-01 00:00:00.000",
    ],
)
def test_an_event_without_a_usable_time_is_kept_and_the_others_go_on(
    event_line: EventLine, text: str
) -> None:
    parsed = parse_events(event_line(1) + event_line(2, ts=text) + event_line(3))
    assert parsed.events["event_id"].to_list() == ["e1", "e3"]
    (rejected,) = parsed.rejected.rows(named=True)
    assert rejected["reason"] == "ts is not YYYY-MM-DD HH:MM:SS.mmm"
    assert '"event_id":"e2"' in rejected["line"]


@pytest.mark.parametrize("field", [name for name in EVENT_COLUMNS if name != "order_id"])
def test_every_field_is_required(event_line: EventLine, field: str) -> None:
    parsed = parse_events(event_line(1) + event_line(2, **{field: None}))
    assert parsed.events.height == 1
    assert parsed.rejected["reason"].to_list() == [f"missing or null: {field}"]


def test_an_event_without_an_order_is_an_event(event_line: EventLine) -> None:
    parsed = parse_events(event_line(1) + event_line(2, order_id=None))
    assert parsed.events["order_id"].to_list() == ["O1", None]
    assert parsed.rejected.height == 0


def test_torn_lines_and_lines_without_a_time_are_kept_together(event_line: EventLine) -> None:
    parsed = parse_events(event_line(1) + event_line(2)[:30] + b"\n" + event_line(3, ts="noon"))
    assert parsed.events["event_id"].to_list() == ["e1"]
    assert parsed.rejected["reason"].to_list() == ["not valid JSON", "ts is not YYYY-MM-DD HH:MM:SS.mmm"]
    assert (parsed.rejected["line_number"].to_list(), parsed.lines) == ([1, 2], 3)


def test_no_lines_are_no_events_with_every_column() -> None:
    parsed = parse_events(b"")
    assert parsed.events.columns == [*EVENT_COLUMNS, LINE, "event_ts"]
    assert parsed.events.schema["event_ts"] == pl.Datetime("us", "UTC")


def test_milliseconds_are_not_lost(event_line: EventLine) -> None:
    lines = [event_line(i, ts=f"2024-01-01 00:00:59.{i:03d}") for i in range(1000)]
    found = parse_events(b"".join(lines)).events["event_ts"].to_list()
    start = datetime(2024, 1, 1, 0, 0, 59, tzinfo=UTC)
    assert found == [start + timedelta(milliseconds=i) for i in range(1000)]
