"""JSON lines to rows, with every line that is none kept and explained."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from casper_ray.medallion.columns import LINE, REJECT_SCHEMA, SOURCE_FILE, TRACE, Parsed, no_rejects

_KEPT_CHARS = 65_536
_LINE_END = ord("\n")
_STRETCH_BYTES = 256 << 10


class Line(NamedTuple):
    """A line of a file. number: from 0, blank lines count. offset: of its first byte. Both in the bytes parsed."""

    number: int
    offset: int
    text: bytes


def parse_json_lines(data: bytes, schema: Mapping[str, pl.DataType], optional: Container[str] = ()) -> Parsed:
    """Rows of `schema` and `LINE`, one per line that is such a JSON object; columns in `optional` may be null.

    Reads: whole lines; blank ones do not count. Fields that `schema` does not name are left out.
    Rules: a line that is not JSON, not an object, of other types, or lacks a field, is rejected with its
    reason. The usual case, every line good, is one vectorised parse; only where that fails are the lines
    halved until the bad ones stand alone.
    """
    try:
        rows = (
            pl.DataFrame(schema=schema) if not data or data.isspace() else pl.read_ndjson(data, schema=schema)
        )
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return _parse_mixed(_lines(data), schema, optional)
    if _lacking(rows, optional):
        return _parse_mixed(_lines(data), schema, optional)
    if rows.height == line_count(data):
        numbers = np.arange(rows.height, dtype=np.int32)
    elif rows.height == len(lines := _lines(data)):
        numbers = np.array([line.number for line in lines], np.int32)
    else:
        return _parse_mixed(lines, schema, optional)
    return Parsed(rows.with_columns(pl.Series(LINE, numbers)), no_rejects(), rows.height)


def rejects(lines: list[Line], reasons: list[str]) -> pl.DataFrame:
    """Rejected lines as rows of `REJECT_SCHEMA`; the file's name is for the caller to fill in."""
    return pl.DataFrame(
        {
            "table": [None] * len(lines),
            "rule": [None] * len(lines),
            "source_file": [None] * len(lines),
            "line_number": [line.number for line in lines],
            "byte_offset": [line.offset for line in lines],
            "line_bytes": [len(line.text) for line in lines],
            "reason": reasons,
            "line": [_readable(line.text) for line in lines],
        },
        schema=REJECT_SCHEMA,
    )


def refused_rows(rows: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Rows that parsed but cannot be used, as rows of `REJECT_SCHEMA`; their columns but the trace are the text."""
    text = pl.struct(pl.exclude(TRACE)).struct.json_encode()
    return rows.select(
        pl.lit(None, pl.String).alias("table"),
        pl.lit(None, pl.String).alias("rule"),
        (pl.col(SOURCE_FILE) if SOURCE_FILE in rows.columns else pl.lit(None, pl.String)).alias(
            "source_file"
        ),
        (pl.col(LINE).cast(pl.Int64) if LINE in rows.columns else pl.lit(None, pl.Int64)).alias(
            "line_number"
        ),
        pl.lit(None, pl.Int64).alias("byte_offset"),
        text.str.len_bytes().cast(pl.Int64).alias("line_bytes"),
        pl.lit(reason).alias("reason"),
        text.str.slice(0, _KEPT_CHARS).alias("line"),
    )


def _parse_mixed(lines: list[Line], schema: Mapping[str, pl.DataType], optional: Container[str]) -> Parsed:
    """Good rows and rejects of lines of which some are bad: halves until a half is all good or one line."""
    frames: list[pl.DataFrame] = []
    refused: list[Line] = []
    reasons: list[str] = []
    pending = [lines]
    while pending:
        part = pending.pop()
        rows, reason = _try_parse(part, schema, optional)
        if rows is not None:
            frames.append(rows)
        elif len(part) == 1:
            refused.append(part[0])
            reasons.append(reason)
        else:
            middle = len(part) // 2
            pending += [part[middle:], part[:middle]]
    empty = pl.DataFrame(schema={**schema, LINE: pl.Int32})
    return Parsed(
        pl.concat([empty, *frames]),
        rejects(refused, reasons) if refused else no_rejects(),
        len(lines),
    )


def _try_parse(
    lines: list[Line], schema: Mapping[str, pl.DataType], optional: Container[str]
) -> tuple[pl.DataFrame | None, str]:
    """The lines' rows, or None and why not; the reason is exact for a single line only."""
    if not lines:
        return pl.DataFrame(schema={**schema, LINE: pl.Int32}), ""
    try:
        rows = pl.read_ndjson(b"\n".join(line.text for line in lines), schema=schema)
    except UnicodeDecodeError:
        return None, "not UTF-8"
    except pl.exceptions.PolarsError as error:
        return None, _reason(lines[0].text, str(error))
    if missing := _lacking(rows, optional):
        return None, f"missing or null: {', '.join(missing)}"
    if rows.height != len(lines):
        return None, "not one JSON object"
    return rows.with_columns(pl.Series(LINE, [line.number for line in lines], pl.Int32)), ""


def _lacking(rows: pl.DataFrame, optional: Container[str]) -> list[str]:
    return [name for name in rows.columns if name not in optional and rows[name].null_count()]


def _reason(line: bytes, error: str) -> str:
    """The parser's complaint without what it quotes of the line, which can be anybody's text."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return "not UTF-8"
    first = error.splitlines()[0]
    if first.startswith("cannot parse"):
        return f"wrong type: expected {first.rpartition(' as ')[2] or 'another'}"
    if first.startswith("NDJSON line expected"):
        return "not a JSON object"
    return "not valid JSON"


def _lines(data: bytes) -> list[Line]:
    lines, offset = [], 0
    for number, text in enumerate(data.split(b"\n")):
        if text.strip():
            lines.append(Line(number, offset, text))
        offset += len(text) + 1
    return lines


def line_count(data: bytes) -> int:
    """How many lines there are, blank ones too; the last need not be ended.

    Twice as fast as `bytes.count`: a stretch at a time, so that what is compared stays in the processor's cache.
    """
    text = np.frombuffer(data, np.uint8)
    stretches = (text[start : start + _STRETCH_BYTES] for start in range(0, len(text), _STRETCH_BYTES))
    ends = sum(int(np.count_nonzero(stretch == _LINE_END)) for stretch in stretches)
    return ends + (not data.endswith(b"\n") and len(data) > 0)


def _readable(text: bytes) -> str:
    return text[:_KEPT_CHARS].decode(errors="backslashreplace")
