"""The kitchen's event files, parsed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import polars as pl
import pyarrow as pa

from casper_ray.domain.kitchen import EVENT_COLUMNS
from casper_ray.medallion.declare import Parsed, Source
from casper_ray.medallion.json_lines import parse_json_lines, refused_rows
from casper_ray.sim.window import window_of

TIMESTAMP: Final = pa.timestamp("us", "UTC")
_INTEGERS = {"location_id", "sequence"}
_YEARS = (datetime(1000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
"""What logs and watermarks can hold: one line of another time must not stop every batch after it."""
_POLARS = {name: pl.Int32() if name in _INTEGERS else pl.String() for name in EVENT_COLUMNS}


def parse_events(data: bytes) -> Parsed:
    """Events, one row per line, and `event_ts`: their time as an instant.

    Rules: a line without one of the seven fields, or whose `ts` is no `YYYY-MM-DD HH:MM:SS[.mmm]` of the
    years 1000 to 9998, is rejected.
    """
    parsed = parse_json_lines(data, _POLARS)
    instant = pl.col("ts").str.to_datetime(
        "%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC", strict=False
    )
    events = parsed.events.with_columns(
        pl.when(instant.is_between(*_YEARS, closed="left")).then(instant).alias("event_ts")
    )
    if not events["event_ts"].null_count():
        return Parsed(events, parsed.rejected)
    undated = pl.col("event_ts").is_null()
    refused = refused_rows(
        parsed.events.filter(events["event_ts"].is_null()), "ts is not YYYY-MM-DD HH:MM:SS.mmm"
    )
    return Parsed(events.filter(~undated), pl.concat([parsed.rejected, refused]))


EVENTS = Source(
    volume="events",
    schema="simulator",
    columns=pa.schema(
        [(name, pa.int32() if name in _INTEGERS else pa.string()) for name in EVENT_COLUMNS]
        + [
            ("event_ts", TIMESTAMP),
            ("_source_file", pa.string()),
            ("_batch_id", pa.int64()),
            ("_known_ts", TIMESTAMP),
            ("_ingested_at", TIMESTAMP),
        ]
    ),
    event_time="event_ts",
    parse=parse_events,
    window_of=window_of,
)
