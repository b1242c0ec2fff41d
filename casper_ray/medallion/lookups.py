"""Lookups: columns of other tables joined to a block's rows. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import pyarrow as pa

from casper_ray.medallion.declare import Lookup
from casper_ray.medallion.references import Known

_PLACE = "_place"


def looked_up(rows: pl.DataFrame, lookups: Iterable[Lookup], known: Known) -> pl.DataFrame:
    """The rows, in their order, with the columns that the lookups bring; null where nothing is found."""
    for lookup in lookups:
        rows = _joined(rows, lookup, known.get(lookup.full_name))
    return rows


def with_lookups(schema: pa.Schema, lookups: Iterable[Lookup]) -> pa.Schema:
    """The columns of what is read, and those that the lookups bring."""
    for lookup in lookups:
        for name, (_, kind) in lookup.brings.items():
            schema = schema.append(pa.field(name, kind))
    return schema


def _joined(rows: pl.DataFrame, lookup: Lookup, table: pl.DataFrame | None) -> pl.DataFrame:
    brought = {name: _dtype(kind) for name, (_, kind) in lookup.brings.items()}
    if table is None:
        return rows.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in brought.items())
    keys = {f"_on_{column}": pl.col(other) for column, other in lookup.on.items()}
    bring = {name: pl.col(other).cast(brought[name]) for name, (other, _) in lookup.brings.items()}
    found = _held_then(rows, lookup, table.select(**keys, **bring, **_from(lookup)))
    return rows.with_columns(found.get_column(name) for name in brought)


def _from(lookup: Lookup) -> dict[str, pl.Expr]:
    return {} if lookup.valid_from is None else {"_from": pl.col(lookup.valid_from)}


def _held_then(rows: pl.DataFrame, lookup: Lookup, right: pl.DataFrame) -> pl.DataFrame:
    """One row per row of `rows`, in their order: what is brought. Only what is looked up by is joined and put in
    order: rows are wide, and most of their columns are text.
    """
    on, keys = list(lookup.on), [f"_on_{column}" for column in lookup.on]
    if lookup.at is None or lookup.valid_from is None:
        right = right.unique(keys, keep="last", maintain_order=True)
        return rows.select(on).join(right, left_on=on, right_on=keys, how="left", maintain_order="left")
    dated = rows.select(*dict.fromkeys((*on, lookup.at))).with_row_index(_PLACE)
    return (
        dated.sort(lookup.at, nulls_last=True)
        .join_asof(
            right.sort("_from"),
            left_on=lookup.at,
            right_on="_from",
            by_left=on,
            by_right=keys,
            strategy="backward",
            check_sortedness=False,
        )
        .sort(_PLACE)
    )


def _dtype(kind: pa.DataType) -> pl.DataType:
    """The type of polars that an Arrow type becomes."""
    (dtype,) = pl.Schema(pa.schema([("column", kind)])).dtypes()
    return dtype
