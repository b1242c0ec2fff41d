"""What a report is made of: the quality log, the batches and the quarantine of a catalog."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl

from casper_ray.errors import LakeError, SchemaError
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan

_TS = pl.Datetime("us", "UTC")
ACCOUNT = ("rows_in", "rows_out", "rows_duplicate", "rows_late", "rows_dropped", "rows_quarantined")
"""Columns of an account: the first is the sum of the others."""

_COUNTS: dict[str, pl.DataType] = {name: pl.Int64() for name in ACCOUNT}
_ACCOUNTS = pl.List(pl.Struct({"table": pl.String(), **_COUNTS, "table_rows": pl.Int64()}))
LOG = pl.Schema(
    {
        "run": pl.String(),
        "batch": pl.Int64(),
        "table": pl.String(),
        "rule": pl.String(),
        "action": pl.String(),
        "expression": pl.String(),
        "tags": pl.List(pl.String()),
        "owner": pl.String(),
        "passed": pl.Int64(),
        "failed": pl.Int64(),
        "sample": pl.String(),
        "stopped": pl.Boolean(),
        "sim_instant": _TS,
        "ingested_at": _TS,
    }
)
BATCHES = pl.Schema(
    {
        "batch": pl.Int64(),
        "sim_instant": _TS,
        **_COUNTS,
        "replaces": pl.List(pl.String()),
        "accounts": _ACCOUNTS,
    }
)
QUARANTINE = pl.Schema(
    {
        "batch": pl.Int64(),
        "table": pl.String(),
        "rule": pl.String(),
        "reason": pl.String(),
        "source_file": pl.String(),
    }
)
"""Never `line`: it may hold personal data, and a page is passed around."""

_OPTIONAL = {"replaces", "accounts", "rows_dropped", "table", "rule"}
"""Columns of `batches` and `quarantine` that tables of an older version lack."""


class Evidence(NamedTuple):
    """What a catalog's pipeline wrote down of its data.

    log: `LOG`, one row per attempt at a batch, table and rule; `sample` is null where nothing failed.
    batches: `BATCHES`, one row per batch. quarantine: `QUARANTINE`, one row per row that was refused.
    """

    log: pl.DataFrame
    batches: pl.DataFrame
    quarantine: pl.DataFrame


def load_evidence(catalog: Catalog, *, schema: str = "lakeflow") -> Evidence:
    """The evidence that a catalog holds at this moment.

    Raises: LakeError where no batch has been judged yet; SchemaError where a table lacks a column.
    """
    log = load_log(catalog, schema=schema)
    return Evidence(
        log=log,
        batches=_load(catalog, schema, "batches", BATCHES, _OPTIONAL),
        quarantine=_load(catalog, schema, "quarantine", QUARANTINE, _OPTIONAL),
    )


def load_log(catalog: Catalog, *, schema: str = "lakeflow") -> pl.DataFrame:
    """The quality log alone. Raises: as `load_evidence`."""
    log = _load(catalog, schema, "quality_log", LOG, set())
    if log.is_empty():
        raise LakeError(
            f"catalog {catalog.name} of lake {catalog.lake}: has no quality log, or nothing in it",
            "a batch with rules writes it: `casper sim`, or `casper medallion run`, on this lake",
        )
    return log


def _load(catalog: Catalog, schema: str, table: str, columns: pl.Schema, optional: set[str]) -> pl.DataFrame:
    path = catalog.table(schema, table)
    if not (path / "_delta_log").is_dir():
        return pl.DataFrame(schema=columns)
    return _columns(path, columns, optional).collect()


def _columns(path: Path, columns: pl.Schema, optional: set[str]) -> pl.LazyFrame:
    rows = scan(path)
    present = rows.collect_schema().names()
    missing = set(columns) - set(present)
    if needed := missing - optional:
        raise SchemaError.missing_columns(str(path), needed, present)
    found = rows.select(
        (pl.lit(None) if name in missing else pl.col(name)).cast(kind).alias(name)
        for name, kind in columns.items()
    )
    if "sample" in columns:  # of rows that passed it is an empty list, and most rows pass
        return found.with_columns(pl.when(pl.col("failed") > 0).then("sample").alias("sample"))
    return found
