"""One polars process with delta-rs and no Ray: the least time the bank's tables can take here.

    python benchmarks/peers/bank_polars_limit.py VOLUME_DIR OUT_DIR [--json]

It reads `VOLUME_DIR/FEED/*.json` of four feeds once and writes four Bronze, two Silver and eight Gold Delta tables
to OUT_DIR. No checkpoint, no exactly-once, no deduplication, no late rows, no rules of quality: a limit, not a
pipeline. Each distinct account, card, name and device of the volume is made a token once.
"""

from __future__ import annotations

import os

THREADS = 2
os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))

import time  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import NamedTuple  # noqa: E402

import polars as pl  # noqa: E402
from bank_polars_gold import gold_tables  # noqa: E402
from bank_polars_silver import of_one_form, silver_customers, silver_transactions  # noqa: E402
from bank_tables import BRONZE, CONCLUDING, PARTITION_BY, field_types  # noqa: E402
from deltalake import Field, Schema, WriterProperties, write_deltalake  # noqa: E402
from deltalake.schema import PrimitiveType  # noqa: E402
from deltalake.transaction import AddAction, create_table_with_add_actions  # noqa: E402
from polars_limit import PARTS, UTC_US, event_time, polars_main, write_bronze_file  # noqa: E402

from casper_ray.domain.bank import CUSTOMER_CDC  # noqa: E402
from casper_ray.security.keys import parse_keys  # noqa: E402

_POLARS = {"string": pl.String, "double": pl.Float64, "long": pl.Int64}
_ADDED = {
    "_source_file": "string",
    "_batch_id": "long",
    "_known_ts": "timestamp",
    "_ingested_at": "timestamp",
    "_admission": "string",
}
_PART_BYTES = 128 << 20


class Part(NamedTuple):
    """One share of a feed's files: its Bronze file, committed later, and what Silver is made of."""

    feed: str
    bronze: AddAction
    rows: int
    silver: pl.DataFrame


def bronze_rows(feed: str, files: Sequence[Path]) -> pl.DataFrame:
    """One row per line of `files`, in their order."""
    schema = {name: _POLARS[kind] for name, kind in field_types(feed).items()}
    return (
        pl.scan_ndjson(files, schema=schema, include_file_paths="_source_file")
        .with_columns(
            pl.col("_source_file").str.strip_prefix(f"{files[0].parent.parent}/"),
            pl.lit(0, pl.Int64).alias("_batch_id"),
            event_time().alias("_known_ts"),
            pl.lit(time.time_ns() // 1000, pl.Int64).cast(UTC_US).alias("_ingested_at"),
            pl.lit("admitted").alias("_admission"),
        )
        .collect()
    )


def write_part(feed: str, files: Sequence[Path], lake: Path, number: int) -> Part:
    """Bronze of one share of the files, and its rows that Silver needs."""
    rows = bronze_rows(feed, files)
    if feed == CUSTOMER_CDC:
        silver = rows
    else:
        concluded = rows.lazy().filter(pl.col("event_type").is_in(CONCLUDING))
        silver = of_one_form(concluded, feed).drop(set(_ADDED) - {"_known_ts"}, strict=False).collect()
    return Part(
        feed, write_bronze_file(rows, lake / BRONZE[feed], f"part-{number:05d}.parquet"), rows.height, silver
    )


def write_bronze(volume: Path, lake: Path) -> list[Part]:
    """The four Bronze tables, written and committed at once."""
    shares = [(feed, share) for feed in BRONZE for share in _shares(sorted((volume / feed).glob("*.json")))]
    for table in BRONZE.values():
        (lake / table).mkdir(parents=True)
    with ThreadPoolExecutor(THREADS) as threads:
        parts = list(threads.map(lambda at: write_part(*at[1], lake, at[0]), enumerate(shares)))
    for feed, table in BRONZE.items():
        fields = {**field_types(feed), **_ADDED}
        schema = Schema([Field(name, PrimitiveType(kind)) for name, kind in fields.items()])
        create_table_with_add_actions(
            str(lake / table), schema, [part.bronze for part in parts if part.feed == feed]
        )
    return parts


def _shares(files: Sequence[Path]) -> list[Sequence[Path]]:
    """Files in shares of about equal bytes: PARTS of a large feed, one of a small one."""
    total = sum(file.stat().st_size for file in files)
    count = PARTS * -(-total // (PARTS * _PART_BYTES)) if total > _PART_BYTES else 1
    size = -(-len(files) // count)
    return [files[start : start + size] for start in range(0, len(files), size)]


def write_table(lake: Path, name: str, rows: pl.DataFrame) -> int:
    """Rows of one Silver or Gold table, by delta-rs; sorted, so that one partition is open at a time."""
    key = PARTITION_BY[name]
    in_order = key is None or rows[key].is_sorted()
    write_deltalake(
        lake / name,
        rows if in_order else rows.sort(key),
        partition_by=key,
        writer_properties=WriterProperties(compression="SNAPPY"),
    )
    return rows.height


def run_peer(volume: Path, lake: Path) -> dict[str, int]:
    """Rows of each table after all of `volume` went into `lake`."""
    keys = parse_keys((volume / "keys.json").read_text(), "keys.json").ring
    dimensions = {file.stem: pl.read_parquet(file) for file in (volume / "dimensions").iterdir()}
    parts = write_bronze(volume, lake)
    events = [(BRONZE[part.feed], part.rows) for part in parts]
    rows = {table: sum(count for name, count in events if name == table) for table in BRONZE.values()}
    silver = silver_transactions(
        [part.silver for part in parts if part.feed != CUSTOMER_CDC], dimensions, keys
    )
    changes = pl.concat([part.silver for part in parts if part.feed == CUSTOMER_CDC])
    with ThreadPoolExecutor(THREADS) as threads:
        writing = {"silver_transactions": threads.submit(write_table, lake, "silver_transactions", silver)}
        customers = threads.submit(silver_customers, changes, keys)
        gold = gold_tables(silver)
        tables = {**gold, "silver_customers": customers.result()}
        writing |= {name: threads.submit(write_table, lake, name, made) for name, made in tables.items()}
        return rows | {name: written.result() for name, written in writing.items()}


if __name__ == "__main__":
    polars_main("The bank's events to Delta tables with polars alone.", run_peer, BRONZE.values())
