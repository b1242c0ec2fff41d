"""Reads of a table: newest, at a version, or as of a simulated instant."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from casper_ray.domain.time import SimMicros, as_datetime
from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import ASK_FSCK, live_files, refuse_empty_commit

KNOWN = "_known_ts"
"""The simulated instant from which a row could be known."""


def scan(path: Path, *, version: int | None = None) -> pl.LazyFrame:
    """The table at `path`, lazily: at its newest version, or at `version`.

    Raises: LakeError where there is no table, or that version cannot be read any more.
    """
    return pl.scan_delta(at_version(path, version))


def at_version(path: Path, version: int | None = None) -> DeltaTable:
    """The table's handle at a version, or at the newest. Raises: LakeError."""
    if not DeltaTable.is_deltatable(str(path)):
        raise LakeError(f"no table at {path}", "`casper lake ls` lists what is there")
    if version is None:
        refuse_empty_commit(path)
    try:
        return DeltaTable(str(path), version=version)
    except DeltaError as error:
        if version is None:
            text = str(error).splitlines()[0]
            raise LakeError(f"table {path}: its log cannot be read ({text})", ASK_FSCK) from error
        raise LakeError(f"table {path}: has no readable version {version}") from error


def version_at(path: Path, instant: datetime) -> int:
    """The version that a table had at a wall-clock instant. Raises: LakeError before its first."""
    handle = at_version(path)
    first_ms = min(entry["timestamp"] for entry in handle.history())
    if first_ms > instant.timestamp() * 1000:  # delta-rs would answer with the first version that there is
        raise LakeError(f"table {path}: has no version of {instant:%Y-%m-%dT%H:%M:%S%z}")
    handle.load_as_version(instant)
    return handle.version()


def scan_as_of(catalog: Catalog, schema: str, table: str, instant: SimMicros) -> pl.LazyFrame:
    """The rows of `schema.table` that were known by a simulated instant.

    A table with `_known_ts` answers row by row. Any other answers with the version that the last batch
    not later than `instant` left, which is why its grain in time is the batch. Before the first batch
    it is empty.
    """
    rows = scan(catalog.table(schema, table))
    if KNOWN in rows.collect_schema():
        return rows.filter(pl.col(KNOWN) <= as_datetime(instant))
    version = version_as_of(catalog, schema, table, instant)
    return rows.clear() if version is None else scan(catalog.table(schema, table), version=version)


def version_as_of(catalog: Catalog, schema: str, table: str, instant: SimMicros) -> int | None:
    """The version of a table after the last batch that ended by `instant`; None before the first.

    Raises: LakeError where that version holds other rows than the batch left: the table was repaired since, and its
    versions of that time are gone.
    """
    batches = scan(catalog.table(schema, "batches")).filter(pl.col("sim_instant") <= as_datetime(instant))
    last = batches.sort("batch").select("batch", "versions", "accounts").tail(1).collect()
    if last.is_empty():
        return None
    batch, texts, accounts = last.row(0)
    version = {name: int(text) for name, text in (pair.split("=") for pair in texts)}.get(table)
    left = {account["table"]: account["table_rows"] for account in accounts}.get(table)
    if (
        version is not None
        and left is not None
        and _rows(at_version(catalog.table(schema, table), version)) != left
    ):
        raise LakeError(
            f"table {schema}.{table}: version {version} is not what batch {batch} left any more",
            "it was repaired since; ask for a later instant, or for a version",
        )
    return version


def _rows(handle: DeltaTable) -> int:
    files = live_files(handle)
    return int(sum(files["num_records"])) if files.height else 0
