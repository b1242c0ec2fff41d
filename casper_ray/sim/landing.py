"""How events become lines of a volume file."""

from __future__ import annotations

import io
from collections.abc import Sequence

import polars as pl


def render_lines(events: pl.DataFrame, columns: Sequence[str]) -> bytes:
    """The events as JSON lines: compact, fields in the order of `columns`, one line an event."""
    if events.is_empty():
        return b""
    lines = io.BytesIO()
    events.select(columns).write_ndjson(lines)
    return lines.getvalue()
