"""`quarantine`: what could not become rows, with the reason. Nothing vanishes."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from casper_ray.medallion.declare import Append, Table

_TS = pa.timestamp("us", "UTC")

QUARANTINE = Table(
    name="quarantine",
    reads="(every table)",
    grain="one row per line or row that was refused",
    schema=pa.schema(
        [
            ("batch", pa.int64()),
            ("table", pa.string()),
            ("rule", pa.string()),
            ("source_file", pa.string()),
            ("line_number", pa.int64()),
            ("byte_offset", pa.int64()),
            ("line_bytes", pa.int64()),
            ("reason", pa.string()),
            ("line", pa.string()),
            ("ingested_at", _TS),
        ]
    ),
    update=Append(),
    transform=lambda rows: rows,
    stats=("batch",),
)


def quarantined(rejected: pl.DataFrame, batch: int, ingested_at_us: int) -> pl.DataFrame:
    """Rejects as rows of `quarantine`."""
    return rejected.with_columns(
        pl.lit(batch, pl.Int64).alias("batch"),
        pl.lit(ingested_at_us, pl.Int64).cast(pl.Datetime("us", "UTC")).alias("ingested_at"),
    )
