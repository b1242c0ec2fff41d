"""A pipeline of two feeds into one table, with a history to look up, an account to hide and a watermark each."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pyarrow as pa

from casper_ray.medallion.columns import ADMISSION, BATCH_ID, KNOWN, META, Parsed
from casper_ray.medallion.declare import Append, Lookup, Merge, Pipeline, Source, Table, View, Watermark
from casper_ray.medallion.json_lines import parse_json_lines
from casper_ray.sim.window import window_of

_TS = pa.timestamp("us", "UTC")
_FIELDS = {"event_id": pl.String(), "ts": pl.String(), "account": pl.String(), "currency": pl.String()}
_FEED = pa.schema(
    [*((name, pa.string()) for name in _FIELDS), ("units", pa.int64()), ("event_ts", _TS), *META]
)
_BRONZE = (*_FIELDS, "units", BATCH_ID, KNOWN, ADMISSION)


def parse(data: bytes) -> Parsed:
    parsed = parse_json_lines(data, {**_FIELDS, "units": pl.Int64()})
    return parsed._replace(events=parsed.events.with_columns(event_ts()))


def event_ts() -> pl.Expr:
    return (
        pl.col("ts").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", time_zone="UTC").alias("event_ts")
    )


def as_received(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(*_BRONZE)


def recalled(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.select("event_id", event_ts())


def as_it_is(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def payments(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("event_id", "event_ts", "account", "account_sealed", "units", "rate", KNOWN)


def totals(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("account", "units", paid=pl.col("units") * pl.col("rate"))


def feed(name: str, lateness: timedelta) -> tuple[Source, Table, Table]:
    """A source, its Bronze, and the view of what counts of it."""
    source = Source(
        volume=name,
        schema="simulator",
        columns=_FEED,
        event_time="event_ts",
        parse=parse,
        window_of=window_of,
    )
    bronze = Table(
        name=f"{name}_events",
        reads=source.name,
        grain="one row per event",
        schema=pa.schema([_FEED.field(column) for column in _BRONZE]),
        update=Append(),
        transform=as_received,
        stats=(BATCH_ID, KNOWN),
    )
    counted = Table(
        name=f"counted_{name}",
        reads=source.name,
        grain="one row per event that counts",
        schema=_FEED,
        update=View(),
        transform=as_it_is,
        watermark=Watermark(
            key="event_id", time="event_ts", lateness=lateness, log=bronze.name, recalled=recalled
        ),
    )
    return source, bronze, counted


CARD, CARD_EVENTS, COUNTED_CARD = feed("card", timedelta(hours=1))
WIRE, WIRE_EVENTS, COUNTED_WIRE = feed("wire", timedelta(days=1))

PAYMENTS = Table(
    name="payments",
    reads=(COUNTED_CARD.name, COUNTED_WIRE.name),
    grain="one row per payment",
    schema=pa.schema(
        [
            ("event_id", pa.string()),
            ("event_ts", _TS),
            ("account", pa.string()),
            ("account_sealed", pa.string()),
            ("units", pa.int64()),
            ("rate", pa.int64()),
            (KNOWN, _TS),
        ]
    ),
    update=Append(),
    transform=payments,
    lookups=(
        Lookup(
            schema="simulator",
            table="rates",
            on={"currency": "currency"},
            at="event_ts",
            valid_from="valid_from",
            brings={"rate": ("rate", pa.int64())},
        ),
    ),
    tokens={"account": "acc"},
    seals={"account_sealed": ("account", "acc")},
)

TOTALS = Table(
    name="totals",
    reads=PAYMENTS.name,
    grain="one row per account",
    schema=pa.schema([("account", pa.string()), ("units", pa.int64()), ("paid", pa.int64())]),
    update=Merge(keys=("account",), sums=("units", "paid")),
    transform=totals,
)

PIPELINE = Pipeline(
    name="two-feeds",
    catalog="two",
    schema="s",
    sources=(CARD, WIRE),
    tables=(CARD_EVENTS, WIRE_EVENTS, COUNTED_CARD, COUNTED_WIRE, PAYMENTS, TOTALS),
)
REFERENCE = "two_feeds:PIPELINE"
