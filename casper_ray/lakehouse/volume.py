"""The volume: a folder of immutable event files, the border between who produces and who reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple


class VolumeFile(NamedTuple):
    """A file as it is when a batch is written down; only its first `size_bytes` are ever read."""

    name: str
    size_bytes: int


def new_files(volume: Path, seen: Iterable[str]) -> list[VolumeFile]:
    """The event files in `volume` that are not in `seen`, sorted by name; empty ones included.

    Anybody may drop `*.json` files here. Names that begin with '.' or '_' are being written, and are
    left alone. Costs one listing of the folder, and one look at each new file.
    """
    try:
        names = set(os.listdir(volume)).difference(seen)  # an entry at a time costs twice as much
    except FileNotFoundError:
        return []
    found = [(name, volume / name) for name in sorted(names) if _is_event_file(name)]
    return [VolumeFile(name, path.stat().st_size) for name, path in found if path.is_file()]


def grown_files(volume: Path, names: Iterable[str], read_bytes: Mapping[str, int]) -> list[VolumeFile]:
    """Of the named files those that are longer than what was read of them. Costs one look at each."""
    grown = []
    for name in names:
        try:
            size_bytes = (volume / name).stat().st_size
        except FileNotFoundError:
            continue
        if size_bytes > read_bytes[name]:
            grown.append(VolumeFile(name, size_bytes))
    return grown


def _is_event_file(name: str) -> bool:
    return name.endswith(".json") and not name.startswith((".", "_"))
