"""The kitchen's event files, parsed."""

from __future__ import annotations

from typing import Final

import polars as pl
import pyarrow as pa

from casper_ray.domain.kitchen import EVENT_COLUMNS
from casper_ray.medallion.columns import META, Parsed
from casper_ray.medallion.declare import Reference, Source
from casper_ray.medallion.event_time import event_times
from casper_ray.medallion.json_lines import parse_json_lines, refused_rows
from casper_ray.sim.window import window_of

TIMESTAMP: Final = pa.timestamp("us", "UTC")
_INTEGERS = {"location_id", "sequence"}
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
