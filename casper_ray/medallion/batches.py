"""`batches`: one row per batch that every table has. Its commit is what ends a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa

from casper_ray.domain.time import SimMicros, as_datetime, sim_micros
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import OpenTable
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.accounts import Account
from casper_ray.medallion.batch import Batch
from casper_ray.medallion.declare import Append, Table
from casper_ray.medallion.files import Read

_TS = pa.timestamp("us", "UTC")
_ACCOUNT = ("rows_in", "rows_out", "rows_duplicate", "rows_late", "rows_dropped", "rows_quarantined")

BATCHES = Table(
    name="batches",
    reads="(every table)",
    grain="one row per batch",
    schema=pa.schema(
        [
            ("batch", pa.int64()),
            ("watermark", _TS),
            ("watermarks", pa.list_(pa.struct([("source", pa.string()), ("instant", _TS)]))),
            ("sim_instant", _TS),
            ("files", pa.list_(pa.string())),
            (
                "reads",
                pa.list_(
                    pa.struct(
                        [
                            ("start", pa.int64()),
                            ("stop", pa.int64()),
                            ("known_from", _TS),
                            ("landed", _TS),
                            ("late_accepted", pa.bool_()),
                        ]
                    )
                ),
            ),
            *((name, pa.int64()) for name in _ACCOUNT),
            ("replaces", pa.list_(pa.string())),
            ("versions", pa.list_(pa.string())),
            (
                "accounts",
                pa.list_(
                    pa.struct(
                        [
                            ("table", pa.string()),
                            *((name, pa.int64()) for name in _ACCOUNT),
                            ("table_rows", pa.int64()),
                        ]
                    )
                ),
            ),
            ("quality", pa.string()),
            ("references", pa.list_(pa.string())),
            ("keys", pa.list_(pa.string())),
            ("ingested_at", _TS),
        ]
    ),
    update=Append(),
    transform=lambda rows: rows,
    stats=("batch",),
)


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far the committed batches go.

    marks_us: where the watermark of each source stands. reads: every read of a file, by (name, start, stop), in the
    order in which they came; what the last batch that had it says of it. taken: up to where each file was read.
    versions: the least version that each table has to have. timed: whether it was ever known when a file had landed.
    """

    last_batch: int = 0
    marks_us: dict[str, int] = field(default_factory=dict)
    sim_instant_us: int | None = None
    reads: dict[tuple[str, int, int], Read] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    timed: bool = False

    def note(self, reads: tuple[Read, ...]) -> None:
        """Reads that a batch had."""
        for read in reads:
            self.reads[read.name, read.start, read.stop] = read
            self.taken[read.name] = max(read.stop, self.taken.get(read.name, 0))
            self.timed |= read.landed_us is not None


def committed_progress(catalog: Catalog, schema: str) -> Progress:
    """What `batches` says; nothing, where there is no such table yet."""
    path = catalog.table(schema, BATCHES.name)
    progress = Progress()
    if not (path / "_delta_log").is_dir():
        return progress
    rows = scan(path).sort("batch").collect()
    for row in rows.select("files", "reads").iter_rows():
        progress.note(reads_of(*row))
    if rows.height:
        last = rows.row(-1, named=True)
        progress.last_batch = last["batch"]
        progress.marks_us = marks_of(last["watermarks"])
        progress.sim_instant_us = rows["sim_instant"].dt.epoch("us").max()  # type: ignore[assignment]
        progress.versions = versions_of(last["versions"])
    return progress


def reads_of(files: list[str], reads: list[dict[str, object]]) -> tuple[Read, ...]:
    """The reads that a row of `batches` tells of."""
    return tuple(
        Read(
            name,
            int(str(read["start"])),
            int(str(read["stop"])),
            _micros(read["known_from"]),
            _micros(read["landed"]),
            bool(read["late_accepted"]),
        )
        for name, read in zip(files, reads, strict=True)
    )


def versions_of(texts: list[str]) -> dict[str, int]:
    """Table -> version, from the `TABLE=VERSION` texts of a row of `batches`."""
    return {name: int(version) for name, version in (text.split("=") for text in texts)}


def marks_of(watermarks: list[dict[str, Any]]) -> dict[str, int]:
    """Source -> where its watermark stands, in microseconds, from a row of `batches`."""
    return {mark["source"]: sim_micros(mark["instant"]) for mark in watermarks}


def batch_row(
    batch: Batch,
    total: Account,
    accounts: Mapping[str, Account],
    *,
    marks_us: Mapping[str, int],
    instant_us: int | None,
    tables: Mapping[str, OpenTable],
    quality: str,
) -> pl.DataFrame:
    """The row that ends `batch`. quality: the name of the rules it was judged by. Of several watermarks, `watermark`
    is the one that lies furthest back.
    """
    row = {
        "batch": batch.number,
        "watermark": _instant(min(marks_us.values(), default=None)),
        "watermarks": [
            {"source": source, "instant": _instant(us)} for source, us in sorted(marks_us.items())
        ],
        "sim_instant": _instant(instant_us),
        "files": [read.name for read in batch.reads],
        "reads": [
            {
                "start": read.start,
                "stop": read.stop,
                "known_from": _instant(read.known_from_us),
                "landed": _instant(read.landed_us),
                "late_accepted": read.late_accepted,
            }
            for read in batch.reads
        ],
        **dict(zip(_ACCOUNT, total, strict=True)),
        "replaces": list(batch.replaces),
        "versions": [f"{name}={table.version}" for name, table in tables.items()],
        "accounts": [
            {
                "table": name,
                **dict(zip(_ACCOUNT, account, strict=True)),
                "table_rows": tables[name].rows if name in tables else None,
            }
            for name, account in accounts.items()
        ],
        "quality": quality,
        "references": [
            f"{column}={version}" for column, version in batch.references.items() if version is not None
        ],
        "keys": [f"{purpose}={version}" for purpose, version in batch.keys.items()],
        "ingested_at": _instant(batch.ingested_at_us),
    }
    return pl.DataFrame([row], schema=pl.Schema(BATCHES.schema))


def _instant(us: int | None) -> datetime | None:
    return None if us is None else as_datetime(SimMicros(us))


def _micros(instant: object) -> int | None:
    return sim_micros(instant) if isinstance(instant, datetime) else None
