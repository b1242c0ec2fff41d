"""Rows in memory, found by a key without a look at the others."""

from __future__ import annotations

from typing import Final

import polars as pl

FEW: Final = 64
"""Up to so many keys are looked up one by one, which takes no time that grows with the rows."""
_MOST_PARTS: Final = 16


class ByKey:
    """A table sorted by a column of texts; rows of one key keep their order."""

    def __init__(self, rows: pl.DataFrame, key: str) -> None:
        self._key = key
        self._parts = [rows.sort(key, maintain_order=True)]

    def add(self, rows: pl.DataFrame) -> None:
        """More rows, which come after those that there are."""
        self._parts.append(rows.sort(self._key, maintain_order=True))
        if len(self._parts) > _MOST_PARTS:
            self._parts = [pl.concat(self._parts).sort(self._key, maintain_order=True)]

    def of(self, keys: pl.Series) -> pl.DataFrame:
        """The rows of some keys, each once, by key. Null is no key."""
        wanted = sorted({key for key in keys if key is not None}) if keys.len() <= FEW else None
        if wanted is None:
            among = pl.col(self._key).is_in(keys.unique().drop_nulls().implode())
            return pl.concat([part.filter(among) for part in self._parts])
        found = [rows for part in self._parts for rows in self._slices(part, wanted)]
        return pl.concat([self._parts[0].clear(), *found])

    def _slices(self, part: pl.DataFrame, wanted: list[str]) -> list[pl.DataFrame]:
        column, values = part[self._key], pl.Series(wanted, dtype=pl.String)
        first, last = (column.search_sorted(values, side) for side in ("left", "right"))
        return [part.slice(start, stop - start) for start, stop in zip(first, last, strict=True)]
