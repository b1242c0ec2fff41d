"""How events become files that are there whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

import polars as pl

from casper_ray.domain.kitchen import EVENT_COLUMNS


def render_lines(events: pl.DataFrame) -> bytes:
    """The events as JSON lines: compact, fields in the order of EVENT_COLUMNS, one line an event."""
    if events.is_empty():
        return b""
    lines = io.BytesIO()
    events.select(EVENT_COLUMNS).write_ndjson(lines)
    return lines.getvalue()


def land_file(path: Path, data: bytes) -> None:
    """`path` holding `data`, durably, or untouched.

    The bytes go to a hidden file in the same folder first, which readers of *.json do not see.
    Retry: safe; the last one to finish stands.
    """
    hidden = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with hidden.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
