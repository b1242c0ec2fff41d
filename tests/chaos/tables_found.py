"""What is in a lake's tables: what was lost or doubled, whether every batch is whole, and the content as bytes."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import polars as pl
import pyarrow.parquet as pq
from lakes import GOLD_KEYS, Lake
from table_log import batches_of, beside, live_files, orphans

from casper_ray.lakehouse.keep import vacuumed
from casper_ray.lakehouse.names import existing_catalog

CONTENT = ("silver_order_items", *GOLD_KEYS)
"""The tables that say what happened, however it was told; Bronze keeps all that it was told."""


def digests(lake: Lake, names: Iterable[str] = CONTENT) -> dict[str, str]:
    """SHA-256 of each table's rows as bytes: every column, in the schema's order, rows sorted, one way of writing."""
    return {name: hashlib.sha256(_bytes(lake.table(name))).hexdigest() for name in names}


def _bytes(rows: pl.DataFrame) -> bytes:
    flat = [name for name, dtype in rows.schema.items() if not isinstance(dtype, pl.List)]
    written = io.BytesIO()
    pq.write_table(rows.sort(flat).rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()), written)
    return written.getvalue()


def differing(lake: Lake, other: Lake) -> list[str]:
    """Tables whose content is not the same, byte for byte."""
    one, two = digests(lake), digests(other)
    return [name for name in CONTENT if one[name] != two[name]]


def lost_and_doubled(lake: Lake, told: Iterable[str]) -> tuple[int, int]:
    """Of the event ids that were told, how many Bronze lacks, and how many it has too often."""
    found, wanted = Counter(lake.table("all_events")["event_id"]), Counter(told)
    return (wanted - found).total(), (found - wanted).total()


def amiss_in_batches(lake: Lake) -> list[str]:
    """What is wrong with the lake's batches; nothing, where each is whole, in every table, once."""
    batches = lake.table("batches").sort("batch")
    last = batches.height
    amiss = []
    if batches["batch"].to_list() != list(range(1, last + 1)):
        amiss.append(f"batches are numbered {batches['batch'].to_list()}")
    files = batches["files"].explode(empty_as_null=False)
    if sorted(files) != [file.name for file in lake.files()]:
        amiss.append(f"{len(lake.files())} files in the volume, {len(files)} in batches")
    due: dict[str, Counter[int]] = {"batches": Counter(range(1, last + 1))}
    for number, accounts in batches.select("batch", "accounts").iter_rows():
        for account in accounts:
            if account["table_rows"] is not None and account["rows_out"]:
                due.setdefault(account["table"], Counter())[number] += 1
    for table, wanted in due.items():
        if (found := batches_of(lake.path(table))) != wanted:
            amiss.append(f"{table}: {sorted((wanted - found) + (found - wanted))} missing or there twice")
    return amiss


def orphan_files(lake: Lake) -> list[str]:
    """Files in the tables' folders that no version of any log names."""
    return [str(path.relative_to(lake.root)) for table in _tables(lake) for path in orphans(lake.path(table))]


def keep_up(lake: Lake) -> list[str]:
    """The lake's own upkeep, keeping nothing but the newest versions; the files that are there beside them."""
    newest = {table: live_files(lake.path(table)) for table in _tables(lake)}  # before the log is shortened
    list(vacuumed(existing_catalog(str(lake.folder), lake.catalog), [], timedelta(0), dry_run=False))
    left = (path for table, live in newest.items() for path in beside(lake.path(table), live))
    return [str(path.relative_to(lake.root)) for path in left]


def _tables(lake: Lake) -> list[str]:
    return sorted(log.parent.name for log in lake.path("*").parent.glob("*/_delta_log"))
