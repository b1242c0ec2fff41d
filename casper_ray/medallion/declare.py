"""Declarations: what a table is and how it is made. Declaring does no work; `runner` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from casper_ray.lakehouse.open_table import TableFormat
from casper_ray.medallion.columns import Parsed
from casper_ray.medallion.expectations import Expectation
from casper_ray.medallion.source_line import SourceLine, calling_line
from casper_ray.sim.window import Window


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
class View:
    """Rows that others read and nobody stores: a step of the pass with a name, rules and an account of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """One row a key, kept by adding up: what a block returns is a partial aggregate.

    keys: the grain. sums, lowest, highest: columns combined by sum, minimum, maximum.
    segment: the key column by whose values the rows are split into files, so that a batch rewrites only the
    segments it touches: a date, an instant (taken by the week), or a text whose values can name a file; None: the
    table is one file, and small.
    finish: columns derived from the merged ones. It gets the rows of the segments that a batch touches, all of each;
    so with a segment a row's derived columns must need rows of the same segment only. Without one it gets the table.
    """

    keys: tuple[str, ...]
    sums: tuple[str, ...] = ()
    lowest: tuple[str, ...] = ()
    highest: tuple[str, ...] = ()
    segment: str | None = None
    finish: Callable[[pl.DataFrame], pl.DataFrame] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """Which rows of the source count: each once, and none that comes too late.

    key: a row's identity; rows of a key that was seen before are duplicates. time: the row's own time. A row is
    late if its time is before the watermark: the newest time of the files before its own, less `lateness`. A
    file's newest time counts up to the instant at which the file landed, so that a clock that is wrong by years
    makes nothing late. Before the watermark no key is remembered: there, late comes first.

    log: the table that keeps every row, with its `_admission`; recalled: its rows to `key` and `time`, which
    is how a new run remembers.
    """

    key: str
    time: str
    lateness: timedelta
    log: str
    recalled: Callable[[pl.LazyFrame], pl.LazyFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A column whose values should be known elsewhere: rules see `COLUMN_known`, a boolean.

    schema, table, values: the table of the same catalog, and its column, that hold what is known. Where there is
    no such table, everything is known.
    """

    column: str
    schema: str
    table: str
    values: str

    @property
    def flag(self) -> str:
        return f"{self.column}_known"

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Columns of another table of the catalog, put to the rows that a table reads before its transform sees them.

    schema, table: the other table. on: columns of the rows, and the other table's for each. brings: per new column,
    the other table's column and its type. at, valid_from: where the other table has a history, the rows' instant and
    the instant from which its row holds: the newest that held by then is taken; else its rows are one a key.
    Where there is no such row, or no such table, the new columns are null: what becomes of that is for a rule to say.
    """

    schema: str
    table: str
    on: Mapping[str, str]
    brings: Mapping[str, tuple[str, pa.DataType]]
    at: str | None = None
    valid_from: str | None = None

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the other table, those that are needed."""
        from_ = () if self.valid_from is None else (self.valid_from,)
        return tuple(dict.fromkeys((*self.on.values(), *from_, *(name for name, _ in self.brings.values()))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A declared table.

    reads: the table, or `volume:NAME`, that its transform gets; several, where tables of one schema come from
    different sources: then its transform gets the rows of each. grain: "one row per …".
    lookups: columns of other tables that its transform gets beside those of what it reads. tokens: columns of what it
    reads, and the domain of the tokens that stand for them before its transform sees them; seals: new columns, each
    a column of what it reads sealed for the vault, with its domain (values of `security.domains.Domain`).
    stats: columns with data-skipping statistics in the log; never one that can hold personal data.
    expectations: rules that each of its rows should pass, see `expectations`. watermark: only the admitted rows
    of the source reach it. samples: columns that may be shown of a row that failed a rule; none personal.
    change_feed: readers may ask for its changes (Delta's change data feed).
    """

    name: str
    reads: str | tuple[str, ...]
    grain: str
    schema: pa.Schema
    update: Append | Merge | View
    transform: Transform
    partition_by: tuple[str, ...] = ()
    stats: tuple[str, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    watermark: Watermark | None = None
    samples: tuple[str, ...] = ()
    change_feed: bool = False
    lookups: tuple[Lookup, ...] = ()
    tokens: Mapping[str, str] = field(default_factory=dict)
    seals: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    declared_at: SourceLine = field(default_factory=calling_line)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.reads,) if isinstance(self.reads, str) else self.reads

    @property
    def layout(self) -> TableFormat:
        return TableFormat(
            schema=self.schema,
            partition_by=self.partition_by,
            stats=self.stats,
            change_feed=self.change_feed,
            keyed=isinstance(self.update, Merge),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A volume and the format of its files.

    parse: bytes of whole lines to events. event_time: the column of `parse`'s result with the event's own
    time. columns: what transforms get: what `parse` returns, the pass's own (`TRACE`, `META`), and a flag per
    reference. window_of: the window of simulated time that brought a file, by its name; None for files from
    elsewhere.
    """

    volume: str
    schema: str
    columns: pa.Schema
    event_time: str
    parse: Callable[[bytes], Parsed]
    window_of: Callable[[str], Window | None]
    references: tuple[Reference, ...] = ()

    @property
    def name(self) -> str:
        return f"volume:{self.volume}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Tables that are kept up to date together, from one or more volumes of a schema, by one writer.

    schema: the schema that the tables live in. catalog: the default one. quality: the file of configs/quality
    (without its ending) whose rules apply unless others are asked for.

    Files are named as in their volume's folder; where there are several volumes, VOLUME/FILE.
    """

    name: str
    catalog: str
    schema: str
    sources: tuple[Source, ...]
    tables: tuple[Table, ...]
    quality: str | None = None
    declared_at: SourceLine = field(default_factory=calling_line)

    def prefix(self, source: Source) -> str:
        """What the names of a source's files begin with."""
        return f"{source.volume}/" if len(self.sources) > 1 else ""

    def source_of(self, file: str) -> Source:
        """The source that a file belongs to, by its name."""
        return next(source for source in self.sources if file.startswith(self.prefix(source)))

    def window_of(self, file: str) -> Window | None:
        """The window that brought a file, by its name."""
        source = self.source_of(file)
        return source.window_of(file.removeprefix(self.prefix(source)))

    def files_root(self, catalog_root: Path) -> Path:
        """The folder that the files' names start from."""
        volumes = catalog_root / self.sources[0].schema / "_volumes"
        return volumes if len(self.sources) > 1 else volumes / self.sources[0].volume

    @property
    def hides(self) -> bool:
        """Whether any table needs keys."""
        return any(table.tokens or table.seals for table in self.tables)

    def marked(self, source: Source) -> Table | None:
        """The view of a source that says which of its rows count; None: all do."""
        return next((table for table in self.tables if table.watermark and table.reads == source.name), None)
