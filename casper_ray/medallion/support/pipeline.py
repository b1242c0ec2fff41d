"""The pipeline of complaints, declared."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pyarrow as pa

from casper_ray.domain.complaints import COMPLAINT_COLUMNS, COMPLAINTS
from casper_ray.medallion.columns import ADMISSION, BATCH_ID, INGESTED, KNOWN, SOURCE_FILE
from casper_ray.medallion.declare import Append, Pipeline, Table, View, Watermark
from casper_ray.medallion.event_time import event_times
from casper_ray.medallion.support.source import SOURCE

_BRONZE = (*COMPLAINT_COLUMNS, SOURCE_FILE, BATCH_ID, KNOWN, INGESTED, ADMISSION)


def complaints(rows: pl.DataFrame) -> pl.DataFrame:
    """Bronze: every complaint as received, with when it was known and whether it counts.

    Reads:   volume:complaints, one row per line that is a complaint.
    Returns: one row per line: the fields unchanged; _source_file; _batch_id; _known_ts; _ingested_at; _admission.
    Rules:   nothing is left out: duplicates and late ones are rows here.
    """
    return rows.select(*_BRONZE)


def recalled_complaints(bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Of Bronze's rows, what tells duplicates and late ones."""
    return bronze.select("complaint_id", pl.col("ts").map_batches(event_times).alias("event_ts"))


def admitted_complaints(rows: pl.DataFrame) -> pl.DataFrame:
    """The complaints that count: each once, none behind the watermark."""
    return rows


BRONZE = Table(
    name=COMPLAINTS,
    reads=SOURCE.name,
    grain="one row per complaint as received",
    schema=pa.schema([SOURCE.columns.field(name) for name in _BRONZE]),
    update=Append(),
    transform=complaints,
    stats=(BATCH_ID, KNOWN),
)

ADMITTED = Table(
    name="admitted_complaints",
    reads=SOURCE.name,
    grain="one row per complaint that counts",
    schema=SOURCE.columns,
    update=View(),
    transform=admitted_complaints,
    watermark=Watermark(
        key="complaint_id",
        time="event_ts",
        lateness=timedelta(hours=3),
        log=BRONZE.name,
        recalled=recalled_complaints,
    ),
    samples=("complaint_id", "ts", "order_id", "language"),
)

PIPELINE = Pipeline(
    name="support",
    catalog="caspers",
    schema="support",
    sources=(SOURCE,),
    tables=(BRONZE, ADMITTED),
)
