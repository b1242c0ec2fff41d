"""Rows in memory, found by a key without a look at the others."""

from __future__ import annotations

from typing import Final

import polars as pl

FEW: Final = 64
"""Up to so many keys are looked up one by one, which takes no time that grows with the rows."""
_MOST_PARTS: Final = 16


class ByKey:
    """A table sorted by a column of texts; rows of one key keep their order, those without one are left out."""

    def __init__(self, rows: pl.DataFrame, key: str) -> None:
        self._key = key
        self._parts = [self._sorted(rows)]

    def add(self, rows: pl.DataFrame) -> None:
        """More rows, which come after those that there are."""
        self._parts.append(self._sorted(rows))
        if len(self._parts) > _MOST_PARTS:
            self._parts = [pl.concat(self._parts).sort(self._key, maintain_order=True)]

    def _sorted(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.drop_nulls(self._key).sort(self._key, maintain_order=True)

    def of(self, keys: pl.Series) -> pl.DataFrame:
        """The rows of some keys, each once, by key. Null is no key."""
        wanted = sorted({key for key in keys if key is not None}) if keys.len() <= FEW else None
        if wanted is None:
            among = pl.col(self._key).is_in(keys.unique().drop_nulls().implode())
            return pl.concat([part.filter(among) for part in self._parts])
        found = [_rows_of(part, self._key, wanted) for part in self._parts]
        return pl.concat(found) if len(found) > 1 else found[0]


def _rows_of(part: pl.DataFrame, key: str, wanted: list[str]) -> pl.DataFrame:
    """Rows of sorted keys, gathered in one go: slices would have to be put together again."""
    values = pl.Series(wanted, dtype=pl.String)
    first, last = (part[key].search_sorted(values, side).to_list() for side in ("left", "right"))
    rows = [row for start, stop in zip(first, last, strict=True) for row in range(start, stop)]
    return part.select(pl.all().gather(pl.Series(rows, dtype=pl.UInt32)))
