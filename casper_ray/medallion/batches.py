"""`batches`: one row per batch that every table has. Its commit is what ends a batch."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from casper_ray.domain.time import SimMicros, as_datetime
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import OpenTable
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.batch import Batch
from casper_ray.medallion.declare import Append, Table

_TS = pa.timestamp("us", "UTC")
LATENESS = timedelta(hours=3)
"""How far the watermark stays behind the newest event time."""

BATCHES = Table(
    name="batches",
    reads="(every table)",
    grain="one row per batch",
    schema=pa.schema(
        [
            ("batch", pa.int64()),
            ("watermark", _TS),
            ("sim_instant", _TS),
            ("files", pa.list_(pa.string())),
            ("known_from", pa.list_(_TS)),
            ("rows_in", pa.int64()),
            ("rows_out", pa.int64()),
            ("rows_duplicate", pa.int64()),
            ("rows_late", pa.int64()),
            ("rows_quarantined", pa.int64()),
            ("replaces", pa.list_(pa.string())),
            ("versions", pa.list_(pa.string())),
            ("ingested_at", _TS),
        ]
    ),
    update=Append(),
    transform=lambda rows: rows,
    stats=("batch",),
)


class Counts(NamedTuple):
    """Where a batch's rows went: rows_in = rows_out + duplicates + late + quarantined."""

    rows_in: int = 0
    rows_out: int = 0
    duplicates: int = 0
    late: int = 0
    quarantined: int = 0

    def plus(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


class Progress(NamedTuple):
    """How far the committed batches go.

    newest_us: the newest event time that any of them saw. files: each file that a batch had, and the simulated
    instant from which it was known (None: its events' own time alone counts).
    """

    last_batch: int
    newest_us: int | None
    sim_instant_us: int | None
    files: dict[str, int | None]


def committed_progress(catalog: Catalog, schema: str) -> Progress:
    """What `batches` says; nothing, where there is no such table yet."""
    path = catalog.table(schema, BATCHES.name)
    if not (path / "_delta_log").is_dir():
        return Progress(0, None, None, {})
    rows = scan(path).collect()
    late = int(LATENESS / timedelta(microseconds=1))
    watermark = rows.select(pl.col("watermark").max().dt.epoch("us")).item()
    return Progress(
        last_batch=rows.select(pl.col("batch").max().fill_null(0)).item(),
        newest_us=None if watermark is None else watermark + late,
        sim_instant_us=rows.select(pl.col("sim_instant").max().dt.epoch("us")).item(),
        files=_files(rows),
    )


def _files(batches: pl.DataFrame) -> dict[str, int | None]:
    """What the first batch that had a file said of it; a refresh has it again."""
    files = (
        batches.sort("batch", descending=True)
        .select("files", "known_from")
        .explode("files", "known_from", empty_as_null=False)
    )
    return dict(files.select("files", pl.col("known_from").dt.epoch("us")).iter_rows())


def batch_row(
    batch: Batch,
    counts: Counts,
    newest_us: int | None,
    before_us: int | None,
    tables: dict[str, OpenTable],
) -> pl.DataFrame:
    """The row that ends `batch`. before_us: the simulated instant of the batch before it; none goes back."""
    reached = batch.sim_instant_us if batch.sim_instant_us is not None else newest_us
    instant = max((us for us in (reached, before_us) if us is not None), default=None)
    row = {
        "batch": batch.number,
        "watermark": None if newest_us is None else as_datetime(SimMicros(newest_us)) - LATENESS,
        "sim_instant": None if instant is None else as_datetime(SimMicros(instant)),
        "files": [file.name for file in batch.files],
        "known_from": [None if us is None else as_datetime(SimMicros(us)) for us in batch.known_from_us],
        "rows_in": counts.rows_in,
        "rows_out": counts.rows_out,
        "rows_duplicate": counts.duplicates,
        "rows_late": counts.late,
        "rows_quarantined": counts.quarantined,
        "replaces": list(batch.replaces),
        "versions": [f"{name}={table.version}" for name, table in tables.items()],
        "ingested_at": as_datetime(SimMicros(batch.ingested_at_us)),
    }
    return pl.DataFrame([row], schema=pl.Schema(BATCHES.schema))
