"""Declarations: what a table is and how it is made. Declaring does no work; `runner` does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from casper_ray.lakehouse.open_table import TableFormat
from casper_ray.sim.window import Window


class SourceLine(NamedTuple):
    """Where something was declared, as editors and terminals link it."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Split(NamedTuple):
    """Rows that a transform could make, and those that it could not (columns of `REJECT_SCHEMA`)."""

    rows: pl.DataFrame
    rejected: pl.DataFrame


Transform = Callable[[pl.DataFrame], "pl.DataFrame | Split"]
"""Rows of the table that is read, a block of them at a time, to rows of the table that is written.

Pure: same rows in, same rows out, no clock, no files. A transform sees one block of the batch, never all
of it, so it must not compare rows of different orders.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Every batch adds rows. The worker that makes them writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """One row a key, kept by adding up: what a block returns is a partial aggregate.

    keys: the grain. sums, lowest, highest: columns combined by sum, minimum, maximum.
    segment: the key column (a date, or an instant taken by the week) by whose values the rows are split into
    files, so that a batch rewrites only the segments it touches; None: the table is one file, and small.
    finish: columns derived from the whole merged table; only without a segment.
    """

    keys: tuple[str, ...]
    sums: tuple[str, ...] = ()
    lowest: tuple[str, ...] = ()
    highest: tuple[str, ...] = ()
    segment: str | None = None
    finish: Callable[[pl.DataFrame], pl.DataFrame] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A declared table.

    reads: the table, or `volume:NAME`, that its transform gets. grain: "one row per …".
    stats: columns with data-skipping statistics in the log; never one that can hold personal data.
    """

    name: str
    reads: str
    grain: str
    schema: pa.Schema
    update: Append | Merge
    transform: Transform
    partition_by: tuple[str, ...] = ()
    stats: tuple[str, ...] = ()
    declared_at: SourceLine = field(default_factory=lambda: _caller())

    @property
    def layout(self) -> TableFormat:
        return TableFormat(schema=self.schema, partition_by=self.partition_by, stats=self.stats)


class Parsed(NamedTuple):
    """A slice of a volume file, read: events, and lines that are none (columns of `REJECT_SCHEMA`)."""

    events: pl.DataFrame
    rejected: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A volume and the format of its files.

    parse: bytes of whole lines to events. event_time: the column of `parse`'s result with the event's own
    time. columns: what transforms get: what `parse` returns and the pass's own. window_of: the window of
    simulated time that brought a file, by its name; None for files from elsewhere.
    """

    volume: str
    schema: str
    columns: pa.Schema
    event_time: str
    parse: Callable[[bytes], Parsed]
    window_of: Callable[[str], Window | None]

    @property
    def name(self) -> str:
        return f"volume:{self.volume}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Tables that are kept up to date together, from one volume, by one writer.

    schema: the schema that the tables live in. catalog: the default one.
    """

    name: str
    catalog: str
    schema: str
    source: Source
    tables: tuple[Table, ...]
    declared_at: SourceLine = field(default_factory=lambda: _caller())


REJECT_SCHEMA = {
    "source_file": pl.String,
    "byte_offset": pl.Int64,
    "line_bytes": pl.Int64,
    "reason": pl.String,
    "line": pl.String,
}
"""A line or row that was refused: where it stands, why, and (at most 64 KiB of) what it said."""


def no_rejects() -> pl.DataFrame:
    """An empty frame of `REJECT_SCHEMA`."""
    return pl.DataFrame(schema=REJECT_SCHEMA)


def _caller() -> SourceLine:
    frame = sys._getframe(1)
    while frame.f_back is not None and (
        frame.f_code.co_filename in (__file__, "<string>") or frame.f_code.co_name == "__init__"
    ):
        frame = frame.f_back
    return SourceLine(frame.f_code.co_filename, frame.f_lineno)
