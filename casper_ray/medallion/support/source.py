"""The complaints' files, parsed."""

from __future__ import annotations

from typing import Final

import polars as pl
import pyarrow as pa

from casper_ray.domain.complaints import COMPLAINT_COLUMNS, COMPLAINTS
from casper_ray.medallion.columns import META, Parsed
from casper_ray.medallion.declare import Source
from casper_ray.medallion.event_time import event_times
from casper_ray.medallion.json_lines import parse_json_lines, refused_rows
from casper_ray.sim.window import window_of

_POLARS = {name: pl.String() for name in COMPLAINT_COLUMNS}
_OPTIONAL = ("order_id", "language")


def parse_complaints(data: bytes) -> Parsed:
    """Complaints, one row per line, and `event_ts`: their time as an instant.

    Rules: a line that lacks a field is rejected, but for the order and the language: many customers name no order.
    One whose `ts` is no `YYYY-MM-DD HH:MM:SS[.mmm]` is rejected too.
    """
    rows, rejected, lines = parse_json_lines(data, _POLARS, optional=_OPTIONAL)
    times = event_times(rows["ts"])
    dated = rows.with_columns(times)
    if not times.null_count():
        return Parsed(dated, rejected, lines)
    refused = refused_rows(rows.filter(times.is_null()), "ts is not YYYY-MM-DD HH:MM:SS.mmm")
    return Parsed(dated.filter(times.is_not_null()), pl.concat([rejected, refused]), lines)


SOURCE: Final = Source(
    volume=COMPLAINTS,
    schema="simulator",
    columns=pa.schema(
        [
            *((name, pa.string()) for name in COMPLAINT_COLUMNS),
            ("event_ts", pa.timestamp("us", "UTC")),
            *META,
        ]
    ),
    event_time="event_ts",
    parse=parse_complaints,
    window_of=window_of,
)
