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


def new_files(root: Path, seen: Iterable[str], prefix: str = "") -> list[VolumeFile]:
    """The event files in a volume that are not in `seen`, sorted by name; empty ones included.

    The volume is `root`; or, with a prefix `VOLUME/`, that folder of it, and names begin with the prefix.

    Anybody may drop `*.json` files here. Names that begin with '.' or '_' are being written, and are
    left alone. Costs one listing of the folder, and one look at each new file.
    """
    try:
        listed = os.listdir(root / prefix)
    except FileNotFoundError:
        return []
    # All names at once: an entry at a time costs twice as much.
    names = set([prefix + name for name in listed] if prefix else listed).difference(seen)
    found = [(name, root / name) for name in sorted(names) if _is_event_file(name.removeprefix(prefix))]
    return [VolumeFile(name, path.stat().st_size) for name, path in found if path.is_file()]


def grown_files(volume: Path, names: Iterable[str], read_bytes: Mapping[str, int]) -> list[VolumeFile]:
    """Of the named files those that are longer than what was read of them. Costs one look at each."""
    grown = []
    root = f"{volume}/"  # a path made of parts for each file costs five times the look
    for name in names:
        try:
            size_bytes = os.stat(root + name).st_size
        except FileNotFoundError:
            continue
        if size_bytes > read_bytes[name]:
            grown.append(VolumeFile(name, size_bytes))
    return grown


def _is_event_file(name: str) -> bool:
    return name.endswith(".json") and not name.startswith((".", "_"))
