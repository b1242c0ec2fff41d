"""The bank's four feeds, parsed."""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import ATM, CARD, COLUMNS, CUSTOMER_CDC, WIRE
from casper_ray.medallion.columns import META, Parsed
from casper_ray.medallion.declare import Reference, Source
from casper_ray.medallion.event_time import event_times
from casper_ray.medallion.json_lines import parse_json_lines, refused_rows
from casper_ray.sim.window import window_of

TIMESTAMP: Final = pa.timestamp("us", "UTC")
_TYPES = {"lat": pa.float64(), "lon": pa.float64(), "lsn": pa.int64()}
_ALWAYS = {
    CARD: ("event_id", "event_type", "ts", "transaction_id"),
    ATM: ("event_id", "event_type", "ts", "transaction_id"),
    WIRE: ("event_id", "event_type", "ts", "transaction_id"),
    CUSTOMER_CDC: ("event_id", "op", "ts", "customer_id", "lsn"),
}
"""What a line must have to be an event. What else should be there is for rules to say."""


def fields_of(feed: str) -> pa.Schema:
    """The fields of a feed as they are read: text, but for places and sequence numbers."""
    return pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS[feed]])


def parse_feed(data: bytes, feed: str) -> Parsed:
    """Events of a feed, one row per line, and `event_ts`: their time as an instant.

    Rules: a line without one of the fields that make it an event, or whose `ts` is no `YYYY-MM-DD HH:MM:SS[.mmm]` of
    the years 1000 to 9998, is rejected. `before` and `after` of a change, which are objects, become their JSON text.
    """
    schema = dict(zip(COLUMNS[feed], pl.Schema(fields_of(feed)).dtypes(), strict=True))
    optional = frozenset(schema).difference(_ALWAYS[feed])
    events, rejected, lines = parse_json_lines(data, schema, optional)
    dated = events.with_columns(event_times(events["ts"]))
    undated = dated.filter(pl.col("event_ts").is_null())
    if not undated.height:
        return Parsed(dated, rejected, lines)
    refused = refused_rows(undated.drop("event_ts"), "ts is not YYYY-MM-DD HH:MM:SS.mmm")
    return Parsed(dated.filter(pl.col("event_ts").is_not_null()), pl.concat([rejected, refused]), lines)


BRANCHES = Reference(column="branch_id", schema="simulator", table="branches", values="branch_id")


def _source(feed: str) -> Source:
    references = (BRANCHES,) if "branch_id" in COLUMNS[feed] else ()
    flags = [pa.field(reference.flag, pa.bool_()) for reference in references]
    return Source(
        volume=feed,
        schema="simulator",
        columns=pa.schema([*fields_of(feed), ("event_ts", TIMESTAMP), *META, *flags]),
        event_time="event_ts",
        parse=partial(parse_feed, feed=feed),
        window_of=window_of,
        references=references,
    )


CARD_FEED = _source(CARD)
ATM_FEED = _source(ATM)
WIRE_FEED = _source(WIRE)
CUSTOMER_FEED = _source(CUSTOMER_CDC)
SOURCES = (CARD_FEED, ATM_FEED, WIRE_FEED, CUSTOMER_FEED)
