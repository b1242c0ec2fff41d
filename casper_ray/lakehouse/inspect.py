"""What a person asks of a lake: which tables, which rows, which versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable

from casper_ray.domain.time import sim_micros
from casper_ray.errors import ConfigError, LakeError
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import live_files
from casper_ray.lakehouse.read import scan, scan_as_of

_DEFAULT_SCHEMA = "lakeflow"
_CELL_CHARS = 40


class TableFacts(NamedTuple):
    """A table at its newest version."""

    name: str
    version: int
    rows: int
    files: int
    size_bytes: int


def table_facts(catalog: Catalog) -> Iterator[TableFacts]:
    """Every table of the catalog, by name."""
    for schema, table in catalog.table_names():
        handle = DeltaTable(str(catalog.table(schema, table)))
        files = live_files(handle)
        rows = sum(files["num_records"]) if files.height else 0
        size = sum(files["size_bytes"]) if files.height else 0
        yield TableFacts(f"{schema}.{table}", handle.version(), rows, files.height, size)


def shown(catalog: Catalog, name: str, *, rows: int, version: int | None, as_of: str | None) -> str:
    """Some rows of a table, drawn for a terminal; long texts are cut."""
    schema, table, path = _located(catalog, name)
    if version is not None and as_of is not None:
        raise ConfigError("--version and --as-of: only one of them can say which rows are meant")
    if as_of is not None:
        found = scan_as_of(catalog, schema, table, sim_micros(_instant(as_of)))
    else:
        found = scan(path, version=version)
    total = found.select(pl.len()).collect().item()
    with pl.Config(
        tbl_rows=rows,
        tbl_cols=-1,
        tbl_width_chars=200,
        fmt_str_lengths=_CELL_CHARS,
        tbl_hide_dataframe_shape=True,
    ):
        return f"{found.head(rows).collect()}\n{min(rows, total):,} of {total:,} rows of {schema}.{table}"


def history_lines(catalog: Catalog, name: str, limit: int) -> Iterator[str]:
    """The newest versions, newest first."""
    schema, table, path = _located(catalog, name)
    yield f"{schema}.{table}"
    for entry in DeltaTable(str(path)).history(limit):
        when = datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)
        batch = f"batch {entry['batch']}" if "batch" in entry else ""
        yield f"  version {entry['version']:>6}  {when:%Y-%m-%d %H:%M:%S}  {entry['operation']:14} {batch}"


def _located(catalog: Catalog, name: str) -> tuple[str, str, Path]:
    schema, _, table = name.rpartition(".")
    schema = schema or _DEFAULT_SCHEMA
    path = catalog.table(schema, table)
    if not (path / "_delta_log").is_dir():
        known = ", ".join(".".join(pair) for pair in catalog.table_names())
        raise LakeError(
            f"no table {schema}.{table} in catalog {catalog.name}", f"there are {known or 'none'}"
        )
    return schema, table, path


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--as-of: saw {text!r}, expected an instant such as 2024-03-01T12:00") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
