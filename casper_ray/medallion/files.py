"""Slices of volume files: what one block of a batch reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from casper_ray.lakehouse.volume import VolumeFile

_SLICE_BYTES = 32 << 20


class FileSlice(NamedTuple):
    """The lines of a file that begin at `start` or later, before `stop`; `size_bytes` is where it ends.

    known_from_us: the simulated instant before which nobody could know what the file says; None: the
    events' own time alone counts.
    """

    name: str
    start: int
    stop: int
    size_bytes: int
    known_from_us: int | None


def slices(files: Iterable[tuple[VolumeFile, int | None]]) -> Iterator[FileSlice]:
    """The files cut into slices that a worker can hold, however large a file is."""
    for file, known_from_us in files:
        for start in range(0, max(file.size_bytes, 1), _SLICE_BYTES):
            stop = min(start + _SLICE_BYTES, file.size_bytes)
            yield FileSlice(file.name, start, stop, file.size_bytes, known_from_us)


def blocks(cut: Iterable[FileSlice], block_bytes: int) -> list[tuple[FileSlice, ...]]:
    """Slices put together, in order, until a block has `block_bytes`. A matter of sizes alone, so that a
    batch that runs again has the same blocks, on any number of workers.
    """
    made: list[list[FileSlice]] = []
    filled = block_bytes
    for piece in cut:
        if filled >= block_bytes:
            made.append([])
            filled = 0
        made[-1].append(piece)
        filled += piece.stop - piece.start
    return [tuple(block) for block in made]


class WholeLines(NamedTuple):
    """Bytes of whole lines, and where in their file they begin."""

    offset: int
    data: bytes


def read_slice(volume: Path, piece: FileSlice) -> WholeLines:
    """The lines of a slice: from the first that begins in it to the end of the last that does."""
    with (volume / piece.name).open("rb") as file:
        offset = 0
        if piece.start:
            file.seek(piece.start - 1)
            offset = piece.start - 1 + len(file.readline())
            if offset >= piece.stop:
                return WholeLines(offset, b"")
        data = file.read(piece.stop - offset)
        if data and not data.endswith(b"\n") and piece.stop < piece.size_bytes:
            data += file.readline(piece.size_bytes - piece.stop)
        return WholeLines(offset, data)
