"""Lines are exact JSON."""

from __future__ import annotations

import json

import polars as pl

from casper_ray.domain.kitchen import EVENT_COLUMNS
from casper_ray.sim.landing import render_lines

EVENTS = pl.DataFrame(
    {
        "ts_us": [1, 2],
        "body": ['{"customer_addr":"1 \\"Quay\\" St\\\\B","n":1.50}', "{}"],
        "event_id": ["a", "b"],
        "event_type": ["order_created", "gk_started"],
        "ts": ["2024-01-01 00:00:00.001", "2024-01-01 00:00:00.002"],
        "location_id": pl.Series([1, 2], dtype=pl.Int32),
        "order_id": ["ABC123", "ÄBC"],
        "sequence": pl.Series([0, 1], dtype=pl.Int32),
    }
)


def test_one_compact_line_an_event_with_fields_in_order() -> None:
    lines = render_lines(EVENTS, EVENT_COLUMNS).decode().splitlines()
    assert len(lines) == 2
    assert [tuple(json.loads(line)) for line in lines] == [EVENT_COLUMNS] * 2
    assert lines[1] == (
        '{"event_id":"b","event_type":"gk_started","ts":"2024-01-01 00:00:00.002","location_id":2,'
        '"order_id":"ÄBC","sequence":1,"body":"{}"}'
    )


def test_bodies_come_back_as_they_were() -> None:
    line = json.loads(render_lines(EVENTS, EVENT_COLUMNS).splitlines()[0])
    assert line["body"] == EVENTS["body"][0]
    assert json.loads(line["body"])["customer_addr"] == '1 "Quay" St\\B'


def test_no_events_are_no_bytes() -> None:
    assert render_lines(EVENTS.clear(), EVENT_COLUMNS) == b""
