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
    if lookup.at is None or lookup.valid_from is None:
        right = table.select(**keys, **bring).unique(list(keys), keep="last", maintain_order=True)
        return rows.join(
            right, left_on=list(lookup.on), right_on=list(keys), how="left", maintain_order="left"
        )
    history = table.select(**keys, **bring, _from=pl.col(lookup.valid_from)).sort("_from")
    dated = rows.with_row_index(_PLACE).sort(lookup.at, nulls_last=True)
    found = dated.join_asof(
        history,
        left_on=lookup.at,
        right_on="_from",
        by_left=list(lookup.on),
        by_right=list(keys),
        strategy="backward",
        check_sortedness=False,
    )
    return found.sort(_PLACE).drop(_PLACE, "_from", *keys, strict=False)


def _dtype(kind: pa.DataType) -> pl.DataType:
    """The type of polars that an Arrow type becomes."""
    (dtype,) = pl.Schema(pa.schema([("column", kind)])).dtypes()
    return dtype
