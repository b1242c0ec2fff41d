"""Two tables of one declaration, row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from casper_ray.bank_uses.history import Span
from casper_ray.domain.time import SimMicros, as_datetime
from casper_ray.medallion.declare import Merge, Table

EXAMPLES = 3
_ROWS_AT_ONCE = 300_000
_APPENDED_BY = "transaction_id"
_DAYS = ("txn_day", "day")
_HOUR, _MONTH = "hour_ts", "month"
_ONE, _OTHER, _NTH = "_one", "_other", "_nth"
_SUFFIX, _DIFFERS = ":rebuilt", "differs:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What two versions of a table, or of a day of it, have and have not in common.

    scope: what was compared: day, month or table. missing: rows of the first only; extra: of the second only;
    differing: of both, otherwise than by their key; columns: in which, with how many rows.
    examples: keys of the first few, what is amiss, and in which columns; no values.
    """

    table: str
    scope: str
    rows: int = 0
    rows_rebuilt: int = 0
    missing: int = 0
    extra: int = 0
    differing: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    examples: tuple[dict[str, Any], ...] = ()

    @property
    def equal(self) -> bool:
        return not (self.missing or self.extra or self.differing)

    def plus(self, other: Difference) -> Difference:
        """Of both parts of a table."""
        return Difference(
            table=self.table,
            scope=self.scope,
            rows=self.rows + other.rows,
            rows_rebuilt=self.rows_rebuilt + other.rows_rebuilt,
            missing=self.missing + other.missing,
            extra=self.extra + other.extra,
            differing=self.differing + other.differing,
            columns={
                name: count
                for name in (*self.columns, *other.columns)
                if (count := self.columns.get(name, 0) + other.columns.get(name, 0))
            },
            examples=(*self.examples, *other.examples)[:EXAMPLES],
        )


def rows_of_day(rows: pl.LazyFrame, table: Table, span: Span) -> tuple[pl.LazyFrame, str]:
    """The rows that say something of the day, and what they are: of the day, its month, or the whole table."""
    first = span.first_day
    for column in _DAYS:
        if column in table.schema.names:
            return rows.filter(pl.col(column) == first), "day"
    if _MONTH in table.schema.names:
        return rows.filter(pl.col(_MONTH) == first.replace(day=1)), "month"
    if _HOUR in table.schema.names:
        start = as_datetime(SimMicros(span.from_us))
        hours = pl.col(_HOUR).is_between(start, start + timedelta(days=1), closed="left")
        return rows.filter(hours), "day"
    return rows, "table"


def difference(table: Table, scope: str, one: pl.LazyFrame, other: pl.LazyFrame) -> Difference:
    """The rows of `one` held against those of `other`.

    Rules: rows of one key are the same row; where a key is there several times, in order of all that can be ordered.
    Null equals null. Memory is bounded: keys are dealt to buckets by their hash, and a bucket is joined at a time.
    """
    keys = row_keys(table)
    counted = [frame.select(pl.len()).collect(engine="streaming").item() for frame in (one, other)]
    found = Difference(table=table.name, scope=scope)
    buckets = max(1, math.ceil(max(counted) / _ROWS_AT_ONCE))
    bucket = pl.struct(keys).hash(seed=0) % buckets
    for number in range(buckets):
        parts = (
            frame.filter(bucket == number).collect(engine="streaming")
            if buckets > 1
            else frame.collect(engine="streaming")
            for frame in (one, other)
        )
        found = found.plus(_difference(table, scope, *parts, keys=keys))
    return found


def row_keys(table: Table) -> list[str]:
    """The columns that say which row it is."""
    if isinstance(table.update, Merge):
        return list(table.update.keys)
    return [_APPENDED_BY] if _APPENDED_BY in table.schema.names else list(table.schema.names)


def _difference(
    table: Table, scope: str, one: pl.DataFrame, other: pl.DataFrame, *, keys: Sequence[str]
) -> Difference:
    names = table.schema.names
    orderly = [f.name for f in table.schema if not pa.types.is_nested(f.type)]
    both = _numbered(one.select(names), orderly, keys, _ONE).join(
        _numbered(other.select(names), orderly, keys, _OTHER),
        on=[*keys, _NTH],
        how="full",
        nulls_equal=True,
        coalesce=True,
        suffix=_SUFFIX,
    )
    there, again = pl.col(_ONE).is_not_null(), pl.col(_OTHER).is_not_null()
    rest = [name for name in names if name not in keys]
    told = both.select(
        *keys,
        pl.when(~again).then(pl.lit("missing")).when(~there).then(pl.lit("extra")).alias("_what"),
        *(
            (there & again & ~pl.col(name).eq_missing(pl.col(name + _SUFFIX))).alias(_DIFFERS + name)
            for name in rest
        ),
    )
    differs = pl.any_horizontal(pl.col(_DIFFERS + name) for name in rest) if rest else pl.lit(False)
    amiss = told.filter(pl.col("_what").is_not_null() | differs).sort(keys)
    counts = amiss["_what"].value_counts() if amiss.height else None
    by_what = {} if counts is None else dict(counts.iter_rows())
    columns = {name: int(amiss[_DIFFERS + name].sum()) for name in rest} if amiss.height else {}
    return Difference(
        table=table.name,
        scope=scope,
        rows=one.height,
        rows_rebuilt=other.height,
        missing=by_what.get("missing", 0),
        extra=by_what.get("extra", 0),
        differing=by_what.get(None, 0),
        columns={name: count for name, count in columns.items() if count},
        examples=tuple(_example(row, keys, rest) for row in amiss.head(EXAMPLES).iter_rows(named=True)),
    )


def _numbered(rows: pl.DataFrame, orderly: list[str], keys: Sequence[str], mark: str) -> pl.DataFrame:
    """The rows with their place among those of their key, and a mark that they are there."""
    return rows.sort(orderly).with_columns(
        pl.int_range(pl.len()).over(keys).alias(_NTH), pl.lit(True).alias(mark)
    )


def _example(row: dict[str, Any], keys: Sequence[str], rest: Sequence[str]) -> dict[str, Any]:
    return {
        "key": {name: str(row[name]) for name in keys},
        "what": row["_what"] or "differs",
        "columns": [name for name in rest if row[_DIFFERS + name]],
    }
