"""Shares and samples as a reader of the report sees them."""

from __future__ import annotations

import json
from typing import NamedTuple

from casper_ray.console import figures

_CHARS = 160
_ROWS = 3


class Field(NamedTuple):
    """A column of a sampled row, and its value as text."""

    name: str
    value: str


def share(part: int, whole: int) -> str:
    """12.3%, 1.23%, 0.05%; 0% and 100% only for none and all; - of nothing."""
    if whole <= 0:
        return figures.NONE
    if part in (0, whole):
        return "100%" if part else "0%"
    percent = 100 * part / whole
    if abs(percent) < 0.01:
        return "<0.01%"
    return f"{min(percent, 99.9):.1f}%" if percent >= 9.995 else f"{percent:.2f}%"


def cut(text: str, chars: int = _CHARS) -> str:
    """One line of the text, at most `chars` long."""
    line = figures.one_line(text)
    return line if len(line) <= chars else f"{line[: chars - 1]}…"


def sampled_rows(sample: str | None) -> list[list[Field]]:
    """The rows of a sample as the log keeps it; of what is not a JSON list of objects, its beginning."""
    if not sample:
        return []
    try:
        rows = json.loads(sample)
    except (ValueError, RecursionError):
        return [[Field("", cut(sample))]]
    if not isinstance(rows, list):
        rows = [rows]
    return [_fields(row) for row in rows[:_ROWS]]


def _fields(row: object) -> list[Field]:
    pairs = row.items() if isinstance(row, dict) else [("", row)]
    return [Field(cut(str(name)), cut(_text(value))) for name, value in pairs]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
