"""A block's rows as transforms get them: read, parsed, traced to their files, judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from casper_ray.medallion.admission import ENDLESS_US, Digest, Verdict, keys_of
from casper_ray.medallion.columns import (
    ADMISSION,
    ADMITTED,
    BATCH_ID,
    DUPLICATE,
    INGESTED,
    KNOWN,
    LANDED,
    LATE,
    LINE,
    SOURCE_FILE,
    Parsed,
)
from casper_ray.medallion.declare import Reference, Source, Watermark
from casper_ray.medallion.files import FileSlice, WholeLines, lines_before, read_slice
from casper_ray.medallion.json_lines import line_count
from casper_ray.medallion.references import Known

_INSTANT = pl.Datetime("us", "UTC")
_LINES = 1 << 32
"""More lines than a slice has: a row's `_line` is the number of its slice in the block times this, and its line."""
_WORDS = pl.Series([ADMITTED, DUPLICATE, LATE])


class BlockRows(NamedTuple):
    """A block's events, with their trace and from when they were known, and lines that are none.

    heights: events of each slice. lines: lines that are not blank.
    """

    events: pl.DataFrame
    rejected: pl.DataFrame
    heights: list[int]
    lines: int


def read_block(volume: Path, source: Source, pieces: Sequence[FileSlice]) -> BlockRows:
    """The block's rows: several slices together where every line is an event, which is the usual case and the quicker
    one; else slice by slice.
    """
    read = [read_slice(volume, piece) for piece in pieces]
    if len(read) > 1 and (together := _read_together(source, pieces, read)):
        return together
    parts = [_read_one(source, pieces, number, lines) for number, lines in enumerate(read)]
    heights = [part.events.height for part in parts]
    events = pl.concat([part.events for part in parts], rechunk=False)
    return BlockRows(
        _traced(events, source, pieces, heights),
        pl.concat([part.rejected for part in parts]),
        heights,
        sum(part.lines for part in parts),
    )


def digest_of(rows: BlockRows, pieces: Sequence[FileSlice], watermark: Watermark) -> Digest:
    """What it takes to judge the block."""
    key, check = keys_of(rows.events[watermark.key])
    landed = [ENDLESS_US if piece.read.landed_us is None else piece.read.landed_us for piece in pieces]
    return Digest(
        key,
        check,
        rows.events[watermark.time].to_physical().to_numpy(),
        np.array(rows.heights, np.int64),
        np.array(landed, np.int64),
        np.array([piece.read.late_accepted for piece in pieces], np.bool_),
    )


def with_meta(
    events: pl.DataFrame,
    verdict: Verdict | None,
    batch: int,
    ingested_at_us: int,
    references: Sequence[Reference],
    known: Known,
) -> pl.DataFrame:
    """The events with the batch, wall time, whether they count, and whether what they refer to is known."""
    admission = pl.lit(ADMITTED) if verdict is None else pl.lit(_WORDS).gather(pl.lit(pl.Series(verdict)))
    return events.with_columns(
        pl.lit(batch, pl.Int64).alias(BATCH_ID),
        pl.lit(ingested_at_us, pl.Int64).cast(_INSTANT).alias(INGESTED),
        admission.alias(ADMISSION),
        *(_flag(reference, known) for reference in references),
    )


def located(refused: pl.DataFrame, volume: Path, pieces: Sequence[FileSlice]) -> pl.DataFrame:
    """Refused rows with the numbers of their lines in their files, from 1."""
    line = pl.col("line_number")
    before = {
        number: _lines_before(volume, pieces[number])
        for number in refused.select((line // _LINES).unique().drop_nulls()).to_series()
    }
    first = (line // _LINES).replace_strict(before, default=None, return_dtype=pl.Int64)
    return refused.with_columns((line % _LINES + first + 1).alias("line_number"))


def _lines_before(volume: Path, piece: FileSlice) -> int:
    return lines_before(volume / piece.read.name, read_slice(volume, piece).offset) if piece.start else 0


def _ended(lines: bytes) -> bytes:
    """The lines with the last of them ended, so that other lines can follow."""
    return lines if not lines or lines.endswith(b"\n") else lines + b"\n"


def _read_together(
    source: Source, pieces: Sequence[FileSlice], read: Sequence[WholeLines]
) -> BlockRows | None:
    """The rows of all slices by one parse; None where a line is no event."""
    whole = source.parse(b"".join(_ended(lines.data) for lines in read))
    heights = [line_count(lines.data) for lines in read]
    if whole.events.height != sum(heights) or whole.rejected.height:
        return None
    first_of = _LINES * np.arange(len(pieces)) - (np.cumsum(heights) - heights)
    events = whole.events.with_columns(pl.col(LINE) + pl.Series(np.repeat(first_of, heights)))
    return BlockRows(_traced(events, source, pieces, heights), whole.rejected, heights, whole.lines)


def _read_one(source: Source, pieces: Sequence[FileSlice], number: int, lines: WholeLines) -> Parsed:
    parsed = source.parse(lines.data)
    first = _LINES * number
    return parsed._replace(
        events=parsed.events.with_columns(pl.col(LINE).cast(pl.Int64) + first),
        rejected=parsed.rejected.with_columns(
            pl.lit(pieces[number].read.name).alias("source_file"),
            pl.col("line_number") + first,
            pl.col("byte_offset") + lines.offset,
        ),
    )


def _traced(
    events: pl.DataFrame, source: Source, pieces: Sequence[FileSlice], heights: Sequence[int]
) -> pl.DataFrame:
    """Events with where each came from, from when it was known, and when its file had landed."""
    which = pl.lit(pl.Series(np.repeat(np.arange(len(pieces)), heights)))
    names = pl.lit(pl.Series([piece.read.name for piece in pieces], dtype=pl.String))
    known, landed = (
        pl.lit(pl.Series(instants, dtype=pl.Int64).cast(_INSTANT))
        for instants in (
            [piece.read.known_from_us for piece in pieces],
            [piece.read.landed_us for piece in pieces],
        )
    )
    return events.with_columns(
        names.gather(which).alias(SOURCE_FILE),
        pl.max_horizontal(pl.col(source.event_time), known.gather(which)).alias(KNOWN),
        landed.gather(which).alias(LANDED),
    )


def _flag(reference: Reference, known: Known) -> pl.Expr:
    table = known.get(reference.full_name)
    if table is None:
        found = pl.lit(True)
    else:
        found = pl.col(reference.column).is_in(table[reference.values].implode())
    return found.alias(reference.flag)
