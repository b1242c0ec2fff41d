"""Rows of data files that were read or written lately, so that the next batch need not read them."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Final

import polars as pl

_MOST_BYTES: Final = 48 << 20
"""Of a table: all that a live batch touches in a bank of middling size. More were no use to a large one, which goes
through all of its files in turn and finds none of them again.
"""


class RecentFiles:
    """A data file never changes, so nothing here goes stale; the longest unused go when there is too much."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._rows: OrderedDict[Path, pl.DataFrame] = OrderedDict()
        self._most_bytes, self._bytes = most_bytes, 0

    def rows(self, path: Path) -> pl.DataFrame:
        """A file's rows, without the columns that its folder names."""
        found = self._rows.get(path)
        if found is None:
            found = pl.read_parquet(path, hive_partitioning=False)
            self.remember(path, found)
        else:
            self._rows.move_to_end(path)
        return found

    def remember(self, path: Path, rows: pl.DataFrame) -> None:
        """Rows that the file at `path` holds. More than there is room for are not kept."""
        size = rows.estimated_size()
        if path in self._rows or size > self._most_bytes:
            return
        self._rows[path] = rows
        self._bytes += int(size)
        while self._bytes > self._most_bytes:
            self._bytes -= int(self._rows.popitem(last=False)[1].estimated_size())
