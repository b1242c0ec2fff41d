"""What a person asks of a lake: which tables, which rows, which versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from casper_ray.domain.time import sim_micros
from casper_ray.errors import ConfigError, LakeError
from casper_ray.lakehouse.changes import CHANGE, changes
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import live_files
from casper_ray.lakehouse.read import at_version, scan, scan_as_of, version_as_of, version_at

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
        handle = at_version(catalog.table(schema, table))
        files = live_files(handle)
        rows = sum(files["num_records"]) if files.height else 0
        size = sum(files["size_bytes"]) if files.height else 0
        yield TableFacts(f"{schema}.{table}", handle.version(), rows, files.height, size)


class When(NamedTuple):
    """Which state of a table is meant: a version, what was known at a simulated instant, or the table at a wall-clock
    instant; none given: the newest.
    """

    version: int | None = None
    as_of: str | None = None
    at: str | None = None

    def check(self) -> None:
        """Raises: ConfigError where more than one is given."""
        if sum(value is not None for value in self) > 1:
            raise ConfigError("--version, --as-of and --at: only one of them can say which rows are meant")

    def version_of(self, catalog: Catalog, schema: str, table: str) -> int | None:
        """The version that is meant; None for the newest. Raises: LakeError, ConfigError."""
        self.check()
        if self.at is not None:
            return version_at(catalog.table(schema, table), _instant("--at", self.at))
        if self.as_of is None:
            return self.version
        found = version_as_of(catalog, schema, table, sim_micros(_instant("--as-of", self.as_of)))
        if found is None:
            raise LakeError(f"table {schema}.{table}: no batch had ended by {self.as_of}")
        return found


def shown(catalog: Catalog, name: str, *, rows: int, when: When) -> str:
    """Some rows of a table, drawn for a terminal; long texts are cut."""
    schema, table, path = located(catalog, name)
    when.check()
    if when.as_of is not None:
        found = scan_as_of(catalog, schema, table, sim_micros(_instant("--as-of", when.as_of)))
    else:
        found = scan(path, version=when.version_of(catalog, schema, table))
    return _drawn(found, f"{schema}.{table}", rows)


def differing(
    catalog: Catalog, name: str, first: int, last: int | None, keys: tuple[str, ...], *, rows: int
) -> str:
    """What changed between two versions, drawn for a terminal."""
    schema, table, path = located(catalog, name)
    newest = at_version(path).version() if last is None else last
    found = changes(path, first, newest, keys)
    counts = found.group_by(CHANGE).len().sort(CHANGE).rows()
    told = ", ".join(f"{count:,} {change}" for change, count in counts) or "nothing changed"
    return _drawn(found.lazy(), f"{schema}.{table} from version {first} to {newest}: {told}", rows)


def _drawn(found: pl.LazyFrame, what: str, rows: int) -> str:
    try:
        head, total = found.head(rows).collect(), found.select(pl.len()).collect().item()
    except FileNotFoundError as error:
        raise LakeError(
            f"{what}: files of this version are not there any more",
            "a vacuum removes what is older than its retention; `casper lake history` lists the versions",
        ) from error
    with pl.Config(
        tbl_rows=rows,
        tbl_cols=-1,
        tbl_width_chars=200,
        fmt_str_lengths=_CELL_CHARS,
        tbl_hide_dataframe_shape=True,
    ):
        return f"{head}\n{min(rows, total):,} of {total:,} rows of {what}"


def history_lines(catalog: Catalog, name: str, limit: int) -> Iterator[str]:
    """The newest versions, newest first: when, what was done, and for which batch."""
    schema, table, path = located(catalog, name)
    yield f"{schema}.{table}"
    for entry in at_version(path).history(limit):
        when = datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)
        yield f"  version {entry['version']:>6}  {when:%Y-%m-%d %H:%M:%S}  {entry['operation']:14} {_why(entry)}"


def _why(entry: dict[str, Any]) -> str:
    """What a version is for: a batch, upkeep, or a restore."""
    if "restored_to" in entry:
        return f"to version {entry['restored_to']}"
    if "upkeep" in entry:
        return str(entry["upkeep"])
    return f"batch {entry['batch']}" if "batch" in entry else ""


def located(catalog: Catalog, name: str) -> tuple[str, str, Path]:
    schema, _, table = name.rpartition(".")
    schema = schema or catalog.pipeline_schema
    path = catalog.table(schema, table)
    if not (path / "_delta_log").is_dir():
        known = ", ".join(".".join(pair) for pair in catalog.table_names())
        raise LakeError(
            f"no table {schema}.{table} in catalog {catalog.name}", f"there are {known or 'none'}"
        )
    return schema, table, path


def _instant(option: str, text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option}: saw {text!r}, expected an instant such as 2024-03-01T12:00") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
