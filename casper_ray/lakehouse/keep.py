"""Upkeep of a catalog's tables by name, told line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta

import pyarrow as pa
from deltalake import DeltaTable

from casper_ray.lakehouse.inspect import located
from casper_ray.lakehouse.lease import every_lease
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import KEYED, OpenTable, TableFormat
from casper_ray.lakehouse.upkeep import compact, shorten_log
from casper_ray.lakehouse.vacuum import vacuum

_A_JOB = timedelta(hours=1)


def optimized(catalog: Catalog, names: Sequence[str]) -> Iterator[str]:
    """Small files of the tables put together, where they are appended to."""
    for schema, table in _tables(catalog, names):
        opened = _opened(catalog, schema, table)
        if opened.keyed:
            yield f"{schema}.{table}: keyed, one file a segment; nothing to do"
            continue
        before = len(opened.files)
        while compact(opened):
            pass
        yield f"{schema}.{table}: {before:,} files, now {len(opened.files):,}; version {opened.version}"


def vacuumed(catalog: Catalog, names: Sequence[str], retention: timedelta, *, dry_run: bool) -> Iterator[str]:
    """Files and log entries that nothing within the retention needs, removed.

    Raises: LeaseHeldError where the retention is below an hour and a run is live.
    """
    with ExitStack() as stack:
        if retention < _A_JOB and not dry_run:
            stack.enter_context(every_lease(catalog))
        for schema, table in _tables(catalog, names):
            opened = _opened(catalog, schema, table)
            shortened = 0 if dry_run else shorten_log(opened, retention)
            gone = vacuum(opened, retention, dry_run=dry_run)
            what = "would go" if dry_run else "removed"
            yield f"{schema}.{table}: {len(gone):,} data files {what}, {shortened:,} log files"


def _tables(catalog: Catalog, names: Sequence[str]) -> list[tuple[str, str]]:
    if not names:
        return catalog.table_names()
    return [located(catalog, name)[:2] for name in names]


def _opened(catalog: Catalog, schema: str, table: str) -> OpenTable:
    """The table, its format as the table itself says."""
    path = catalog.table(schema, table)
    handle = DeltaTable(str(path))
    settings = handle.metadata()
    stats = settings.configuration.get("delta.dataSkippingStatsColumns") or ""
    return OpenTable(
        path,
        TableFormat(
            schema=pa.schema(handle.schema().to_arrow()),
            partition_by=tuple(settings.partition_columns),
            stats=tuple(name for name in stats.split(",") if name),
            change_feed=settings.configuration.get("delta.enableChangeDataFeed") == "true",
            keyed=settings.description == KEYED,
        ),
    )
