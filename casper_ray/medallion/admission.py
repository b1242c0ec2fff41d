"""What a block lets in: the place in the pass between reading and the tables.

The order is fixed: parse, quarantine (rows that are no events), deduplicate, lateness, expectations.
Deduplication, lateness and expectations have their counts here and let every row through so far.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from casper_ray.medallion.declare import Parsed


class Admission(NamedTuple):
    """Rows for the tables, and where the others went: rows_in = rows + duplicates + late + rejected."""

    rows: pl.DataFrame
    rejected: pl.DataFrame
    rows_in: int
    duplicates: int = 0
    late: int = 0


def admit(parsed: list[Parsed]) -> Admission:
    """The events of a block's slices, in the order of the slices."""
    rows = pl.concat([slice_.events for slice_ in parsed], rechunk=False)
    rejected = pl.concat([slice_.rejected for slice_ in parsed])
    return Admission(rows, rejected, rows.height + rejected.height)
