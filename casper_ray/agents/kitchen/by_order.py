"""Rows of orders, in memory, found by the order's id without a look at the others."""

from __future__ import annotations

from typing import Final

import polars as pl

FEW: Final = 64
"""Up to so many orders are looked up one by one, which takes no time that grows with the rows."""


class ByOrder:
    """A table with an `order_id`, sorted by it; an order's rows keep their order."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows.sort("order_id", maintain_order=True)
        self._ids = self._rows["order_id"]

    def of(self, order_ids: pl.Series) -> pl.DataFrame:
        """The rows of some orders, by id."""
        if order_ids.len() > FEW:
            return self._rows.filter(pl.col("order_id").is_in(order_ids.implode()))
        ids = sorted({order for order in order_ids.to_list() if order is not None})
        wanted = pl.Series(ids, dtype=pl.String)
        first, last = (self._ids.search_sorted(wanted, side).to_list() for side in ("left", "right"))
        rows = [row for start, stop in zip(first, last, strict=True) for row in range(start, stop)]
        return self._rows.select(pl.all().gather(pl.Series(rows, dtype=pl.UInt32)))
