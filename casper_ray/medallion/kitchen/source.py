"""The kitchen's event files, parsed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import polars as pl
import pyarrow as pa

from casper_ray.domain.kitchen import EVENT_COLUMNS
from casper_ray.medallion.declare import META, Parsed, Reference, Source
from casper_ray.medallion.json_lines import parse_json_lines, refused_rows
from casper_ray.sim.window import window_of

TIMESTAMP: Final = pa.timestamp("us", "UTC")
_USUAL_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-5][0-9]\.[0-9]{3}$"
_INTEGERS = {"location_id", "sequence"}
_YEARS = (datetime(1000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
"""What logs and watermarks can hold: one line of another time must not stop every batch after it."""
_POLARS = {name: pl.Int32() if name in _INTEGERS else pl.String() for name in EVENT_COLUMNS}


def parse_events(data: bytes) -> Parsed:
    """Events, one row per line, and `event_ts`: their time as an instant.

    Rules: a line without one of the seven fields, or whose `ts` is no `YYYY-MM-DD HH:MM:SS[.mmm]` of the
    years 1000 to 9998, is rejected. An event without an order id is an event: it is for a rule to say what
    becomes of it.
    """
    events, rejected, lines = parse_json_lines(data, _POLARS, optional=("order_id",))
    times = event_times(events["ts"])
    dated = events.with_columns(times)
    if not times.null_count():
        return Parsed(dated, rejected, lines)
    refused = refused_rows(events.filter(times.is_null()), "ts is not YYYY-MM-DD HH:MM:SS.mmm")
    return Parsed(dated.filter(times.is_not_null()), pl.concat([rejected, refused]), lines)


def event_times(ts: pl.Series) -> pl.Series:
    """The instants of texts; null where a text is none.

    Where every text has the usual shape, its minute and its milliseconds are taken apart: minutes repeat, so
    parsing them costs little, and the rest is whole numbers. A third of the time of parsing each text whole.
    """
    text = pl.col("ts")
    usual = ts.str.contains(_USUAL_TIME).all()
    if usual:
        minute = text.str.head(16).str.to_datetime(
            "%Y-%m-%d %H:%M", time_unit="us", time_zone="UTC", strict=False
        )
        millis = text.str.slice(17, 2).cast(pl.Int64) * 1000 + text.str.slice(20, 3).cast(pl.Int64)
        instant = (minute.cast(pl.Int64) + millis * 1000).cast(pl.Datetime("us", "UTC"))
    else:
        instant = text.str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC", strict=False, cache=False
        )
    instants = ts.to_frame("ts").select(instant.alias("event_ts")).to_series()
    within = instants.is_between(*_YEARS, closed="left")
    return instants if within.all() else instants.set(~within, None)


LOCATIONS = Reference(column="location_id", schema="simulator", table="locations", values="location_id")

EVENTS = Source(
    volume="events",
    schema="simulator",
    columns=pa.schema(
        [
            *((name, pa.int32() if name in _INTEGERS else pa.string()) for name in EVENT_COLUMNS),
            ("event_ts", TIMESTAMP),
            *META,
            (LOCATIONS.flag, pa.bool_()),
        ]
    ),
    event_time="event_ts",
    parse=parse_events,
    window_of=window_of,
    references=(LOCATIONS,),
)
