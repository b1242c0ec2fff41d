"""Keyed tables: partial aggregates added to the rows that are there, file by file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import polars as pl

from casper_ray.lakehouse.data_file import DataFile, Part, write_parts
from casper_ray.lakehouse.open_table import Change, OpenTable
from casper_ray.medallion.accounts import AccountError
from casper_ray.medallion.declare import Merge, Table
from casper_ray.medallion.recent_files import RecentFiles
from casper_ray.medallion.stretches import Stretch, Stretches, segment_text

_AT_A_TIME_BYTES: Final = 64 << 20
"""Stored rows and new ones, in memory; a merge holds about five times what it merges."""

WriteParts = Callable[[Sequence[Part], Path, tuple[str, ...]], list[DataFile]]
"""Writes the parts into a table's folder, whoever does it; the third: columns with statistics."""


def partial_aggregate(update: Merge, rows: pl.DataFrame) -> pl.DataFrame:
    """One row per key: the columns that merge, combined. Sorted by key, so equal input gives equal bytes."""
    return rows.group_by(update.keys).agg(_combined(update)).sort(update.keys)


@lru_cache(maxsize=100)
def _combined(update: Merge) -> tuple[pl.Expr, ...]:
    return (
        *(pl.col(name).sum() for name in update.sums),
        *(pl.col(name).min() for name in update.lowest),
        *(pl.col(name).max() for name in update.highest),
    )


class MergedTable:
    """What a batch's partial aggregate does to one keyed table.

    at_a_time_bytes: how much is merged at a time, see `Stretches`. turn: held while there is more than that to merge,
    so that of several large tables one is in memory.
    """

    def __init__(
        self,
        spec: Table,
        update: Merge,
        recent: RecentFiles,
        write: WriteParts = write_parts,
        *,
        at_a_time_bytes: int = _AT_A_TIME_BYTES,
        turn: Lock | None = None,
    ) -> None:
        self.spec, self.update, self.recent, self._write = spec, update, recent, write
        self._stretches = Stretches(spec, update, at_a_time_bytes)
        self._turn = turn or Lock()
        self._schema = pl.Schema(spec.schema)

    def change(self, table: OpenTable, partial: pl.DataFrame, file_stem: str, *, replace: bool) -> Change:
        """Files with `partial` added to the rows of the segments it touches; those they stand for, removed.

        Reads only files that can hold a touched segment, whatever the size of the table. With `replace`,
        nothing that was there counts.
        """
        segments = _segments(partial, self.update.segment)
        touched = tuple(
            f for f in table.files.values() if replace or _holds(f, self.update.segment, set(segments))
        )
        stored = () if replace else touched
        with nullcontext() if self._stretches.few(partial, stored) else self._turn:
            cut = self._stretches.of(table.path, partial, stored, lambda file: self._stored(table, file))
            files = [file for stretch in cut for file in self._merged(table, stretch, file_stem)]
        return Change(add=tuple(files), remove=touched)

    def _merged(self, table: OpenTable, stretch: Stretch, file_stem: str) -> list[DataFile]:
        """The files of a stretch's partial aggregate added to what is stored of it."""
        partial, before, number = stretch
        merging = [*self.update.keys, *self.update.sums, *self.update.lowest, *self.update.highest]
        rows = partial_aggregate(
            self.update, pl.concat([partial.select(merging), *(r.select(merging) for r in before)])
        )
        self._check_sums(rows, [partial, *before])
        if self.update.finish:
            rows = self.update.finish(rows)
        parts = self._parts(rows, file_stem, f"-{number:03d}" if number else "")
        files = self._write(parts, table.path, self.spec.stats)
        for part, file in zip(parts, files, strict=True):
            self.recent.remember(table.path / file.path, part.rows)
        return files

    def _check_sums(self, merged: pl.DataFrame, parts: list[pl.DataFrame]) -> None:
        """Raises: AccountError where what was merged is not what it was merged from, to the last unit."""
        for name in self.update.sums:
            wanted = sum((part[name].sum() for part in parts), start=0 * merged[name].sum())
            if merged[name].sum() != wanted:
                raise AccountError(self.spec.name, 0, f"{name}: {merged[name].sum()} of {wanted}")

    def _stored(self, table: OpenTable, file: DataFile) -> pl.DataFrame:
        rows = self.recent.rows(table.path / file.path)
        return rows.with_columns(
            pl.lit(_value(text, self._schema[name]), self._schema[name]).alias(name)
            for name, text in file.partition.items()
        )

    def _parts(self, rows: pl.DataFrame, file_stem: str, number: str) -> list[Part]:
        rows = rows.select(pl.col(name).cast(dtype) for name, dtype in self._schema.items())
        segment = self.update.segment
        if segment is None:
            return [Part(f"{file_stem}.parquet", rows, {})]
        if self.spec.partition_by:
            return [
                Part(f"{segment}={text}/{file_stem}-{text}{number}.parquet", part, {segment: text})
                for text, part in _parts(rows, segment)
            ]
        marked = rows.with_columns(_segment_of(segment, rows.schema[segment]).alias("_segment"))
        return [Part(f"{file_stem}-{text}.parquet", part, {}) for text, part in _parts(marked, "_segment")]


def _parts(rows: pl.DataFrame, column: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of each value of a column, without it, beside the value's text."""
    parts = rows.partition_by(column, as_dict=True, include_key=False, maintain_order=True)
    for (value,), part in parts.items():
        yield segment_text(value), part


def _segment_of(column: str, dtype: pl.DataType) -> pl.Expr:
    """The segment of each row: the date or text itself, or the Monday of an instant's week."""
    if isinstance(dtype, pl.Datetime):
        return pl.col(column).dt.truncate("1w").dt.date()
    return pl.col(column)


def _segments(rows: pl.DataFrame, column: str | None) -> list[Any]:
    if column is None:
        return []
    return rows.select(_segment_of(column, rows.schema[column]).unique()).to_series().to_list()


def _holds(file: DataFile, column: str | None, segments: set[Any]) -> bool:
    """Whether a file can hold rows of one of these segments; one without statistics always can."""
    if column is None:
        return True
    if column in file.partition:
        return file.partition[column] in {segment_text(segment) for segment in segments}
    if column not in file.lowest or column not in file.highest:
        return True
    first, last = _segment_at(file.lowest[column]), _segment_at(file.highest[column])
    return any(first <= segment <= last for segment in segments)


def _segment_at(value: Any) -> Any:
    """The segment of one value, as `_segment_of` has it."""
    return value.date() - timedelta(days=value.weekday()) if isinstance(value, datetime) else value


def _value(text: str | None, dtype: pl.DataType) -> Any:
    """A partition value from the text that the log has of it."""
    return date.fromisoformat(text) if text is not None and dtype == pl.Date else text
