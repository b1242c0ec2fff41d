"""Lines as they were read, and the columns that a pass puts beside a source's own."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import polars as pl
import pyarrow as pa

SOURCE_FILE, LINE = "_source_file", "_line"
TRACE = (SOURCE_FILE, LINE)
"""Where a row comes from. A transform may pass these on beside its table's columns: they are not stored, but a row
that is refused can be found by them. `_line` says which slice of the block and which line of it, see `block_source`:
counting the lines before a slice is only worth it for rows that are told of."""

BATCH_ID, KNOWN, LANDED, INGESTED, ADMISSION = (
    "_batch_id",
    "_known_ts",
    "_landed_ts",
    "_ingested_at",
    "_admission",
)
_TS = pa.timestamp("us", "UTC")
META = pa.schema(
    [
        (SOURCE_FILE, pa.string()),
        (LINE, pa.int64()),
        (BATCH_ID, pa.int64()),
        (KNOWN, _TS),
        (LANDED, _TS),
        (INGESTED, _TS),
        (ADMISSION, pa.string()),
    ]
)
"""What the pass adds to each event: its trace; the batch; the simulated instant from which it could be known; the one
at which its file had landed (null: not known); wall time; and whether it counts: admitted, duplicate or late."""

ADMITTED, DUPLICATE, LATE = "admitted", "duplicate", "late"

REJECT_SCHEMA = {
    "table": pl.String,
    "rule": pl.String,
    "source_file": pl.String,
    "line_number": pl.Int64,
    "byte_offset": pl.Int64,
    "line_bytes": pl.Int64,
    "reason": pl.String,
    "line": pl.String,
}
"""A line or row that was refused: by which table and rule, where it stands, why, and (at most 64 KiB of) what it
said. table: null for a line that is no event. line_number: from 1, in the file; until the block has counted, as
`_line`."""


@cache
def no_rejects() -> pl.DataFrame:
    """An empty frame of `REJECT_SCHEMA`; one for all: a block asks ten times, and making one takes a millisecond."""
    return pl.DataFrame(schema=REJECT_SCHEMA)


class Parsed(NamedTuple):
    """Lines of a volume file, read: events, and lines that are none (columns of `REJECT_SCHEMA`).

    events has `LINE`, the number of each event's line, from 0. lines: how many there are that are not blank,
    counted by themselves: it is what the others have to add up to.
    """

    events: pl.DataFrame
    rejected: pl.DataFrame
    lines: int
