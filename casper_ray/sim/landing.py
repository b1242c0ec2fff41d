"""How events become lines of a volume file."""

from __future__ import annotations

import io

import polars as pl

from casper_ray.domain.kitchen import EVENT_COLUMNS


def render_lines(events: pl.DataFrame) -> bytes:
    """The events as JSON lines: compact, fields in the order of EVENT_COLUMNS, one line an event."""
    if events.is_empty():
        return b""
    lines = io.BytesIO()
    events.select(EVENT_COLUMNS).write_ndjson(lines)
    return lines.getvalue()
