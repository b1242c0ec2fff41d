"""A merge cut into stretches that memory holds: some segments each, and of a large segment a range of its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from casper_ray.lakehouse.data_file import DataFile
from casper_ray.medallion.accounts import AccountError
from casper_ray.medallion.declare import Merge, Table

_MOST_FILES: Final = 1_000
"""Whose keys are remembered."""


class Stretch(NamedTuple):
    """What is merged at a time: of the partial aggregate, and what is stored of the same segments and keys.

    number: of a large segment's stretches, from 1; each is a file of its own. 0: a segment is a file.
    """

    partial: pl.DataFrame
    stored: Sequence[pl.DataFrame]
    number: int = 0


class _Range(NamedTuple):
    """Stored files, and the keys from which on and before which they are; None: from the first, to the last."""

    low: Any
    high: Any
    files: Sequence[DataFile]


Reading = Callable[[DataFile], pl.DataFrame]
"""The rows of a data file, with the columns that its folder names."""


class Stretches:
    """How one keyed table's merges are cut. at_a_time_bytes: of stored rows and new ones, as they are in memory.

    Segments can be told apart where each has a folder. A larger segment is several files, and none of them has a key
    that another has; unless what is worked out of a segment needs all of it (`Merge.finish`).
    """

    def __init__(self, spec: Table, update: Merge, at_a_time_bytes: int) -> None:
        self._name, self._at_a_time_bytes = spec.name, at_a_time_bytes
        self._segment = update.segment if update.segment in spec.partition_by else None
        others = [name for name in update.keys if name != self._segment]
        self._key = others[0] if others and update.finish is None else None
        self._keys: dict[Path, tuple[Any, Any]] = {}

    def few(self, partial: pl.DataFrame, touched: Sequence[DataFile]) -> bool:
        """Whether it is little enough to be merged at once, or cannot be cut."""
        return self._segment is None or partial.height + _rows(touched) <= self._at_a_time(partial)

    def _at_a_time(self, partial: pl.DataFrame) -> int:
        """Rows at a time, by how wide the new ones are."""
        return int(self._at_a_time_bytes * partial.height // (partial.estimated_size() or 1))

    def of(
        self, root: Path, partial: pl.DataFrame, touched: Sequence[DataFile], read: Reading
    ) -> Iterator[Stretch]:
        """The stretches, each of them read when it is asked for. root: the table's folder.

        Raises: AccountError, at the end, where rows of the partial aggregate or of the files were in none.
        """
        if self._segment is None or self.few(partial, touched):
            yield Stretch(partial, [read(file) for file in touched])
            return
        new = stored = 0
        for stretch in self._cut(root, self._segment, partial, touched, read):
            new += stretch.partial.height
            stored += sum(rows.height for rows in stretch.stored)
            yield stretch
        if new != partial.height or stored != _rows(touched):
            saw = f"{new} of {partial.height} new rows merged, {stored} of {_rows(touched)} stored ones"
            raise AccountError(self._name, 0, saw)

    def _cut(
        self, root: Path, segment: str, partial: pl.DataFrame, touched: Sequence[DataFile], read: Reading
    ) -> Iterator[Stretch]:
        files: dict[str | None, list[DataFile]] = {}
        for file in touched:
            files.setdefault(file.partition[segment], []).append(file)
        at_a_time, height = self._at_a_time(partial), 0
        some: list[Any] = []

        def together() -> Stretch:
            among = pl.Series(some, dtype=partial.schema[segment]).implode()
            held = [file for value in some for file in files.get(segment_text(value), ())]
            return Stretch(partial.filter(pl.col(segment).is_in(among)), [read(file) for file in held])

        for value, new in partial.group_by(segment).len().sort(segment).iter_rows():
            mine = files.get(segment_text(value), [])
            rows = new + _rows(mine)
            if self._key and rows > at_a_time:
                of_segment = partial.lazy().filter(pl.col(segment) == value)
                yield from self._by_key(root, self._key, of_segment, mine, read, at_a_time)
                continue
            some.append(value)
            height += rows
            if height >= at_a_time:
                yield together()
                some, height = [], 0
        if some:
            yield together()

    def _by_key(
        self,
        root: Path,
        key: str,
        partial: pl.LazyFrame,
        files: Sequence[DataFile],
        read: Reading,
        at_a_time: int,
    ) -> Iterator[Stretch]:
        """One segment's stretches: one for each file, cut where that is too much."""
        number = 0
        for low, high, some in self._ranges(root, key, files):
            new = partial.filter(_between(key, low, high)).collect()
            parts = [new, *(read(file) for file in some)]
            for begin, end in _evenly(pl.concat([part[key] for part in parts]), at_a_time):
                number += 1
                rows, *stored = (part.filter(_between(key, begin, end)) for part in parts)
                yield Stretch(rows, stored, number)

    def _ranges(self, root: Path, key: str, files: Sequence[DataFile]) -> Iterator[_Range]:
        """The files by their keys, such as have keys in common together. A key that none holds goes to the one
        before it, so a range reaches to the next.
        """
        known = [(*self._keys_of(root / file.path, key), file) for file in files]
        known.sort(key=lambda each: (each[0] is not None, each[0], each[2].path))
        lows: list[Any] = []
        runs: list[list[DataFile]] = [[]]
        highest: Any = None
        for low, high, file in known:
            if runs[-1] and (highest is None or low > highest):
                lows.append(low)
                runs.append([])
            runs[-1].append(file)
            highest = high if highest is None else max(high, highest)
        for (low, high), run in zip(pairwise([None, *lows, None]), runs, strict=True):
            yield _Range(low, high, run)

    def _keys_of(self, path: Path, key: str) -> tuple[Any, Any]:
        """The lowest and the highest key of a file."""
        if path not in self._keys:
            if len(self._keys) >= _MOST_FILES:
                self._keys.clear()
            low, high = pl.col(key).min().alias("low"), pl.col(key).max().alias("high")
            found = pl.scan_parquet(path, hive_partitioning=False).select(low, high).collect()
            self._keys[path] = found.row(0)
        return self._keys[path]


def segment_text(segment: Any) -> str:
    """A segment as it is in paths and in the log."""
    return str(segment.isoformat() if isinstance(segment, date) else segment)


def _evenly(keys: pl.Series, at_a_time: int) -> Iterator[tuple[Any, Any]]:
    """Ranges that have about as many of the keys each, with room to grow; a single one where that is enough."""
    keys = keys.drop_nulls().sort()
    pieces = 1 if len(keys) <= at_a_time else -(-2 * len(keys) // max(1, at_a_time))
    cuts = sorted({keys[piece * len(keys) // pieces] for piece in range(1, pieces)})
    return pairwise([None, *(cut for cut in cuts if cut > keys[0]), None])


def _between(key: str, low: Any, high: Any) -> pl.Expr:
    """From `low` on and before `high`. Of a first range, what has no key too."""
    at, first, end = pl.col(key), pl.lit(low), pl.lit(high)
    if low is None:
        return pl.lit(True) if high is None else at.is_null() | (at < end)
    return at >= first if high is None else at.is_between(first, end, closed="left")


def _rows(files: Iterable[DataFile]) -> int:
    return sum(file.rows for file in files)
