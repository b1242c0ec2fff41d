"""Reads of volume files: what a batch takes of a file, and the slices that its blocks are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from casper_ray.errors import LakeError

_SLICE_BYTES = 32 << 20
_CHUNK_BYTES = 1 << 20


class Read(NamedTuple):
    """What one batch takes of a file: the lines that begin at `start` or later, before `stop`.

    known_from_us: the simulated instant before which nobody could know what they say; None: the events' own time
    alone counts. landed_us: the instant at which they were there, None: not known. late_accepted: late rows among
    them count.
    """

    name: str
    start: int
    stop: int
    known_from_us: int | None = None
    landed_us: int | None = None
    late_accepted: bool = False

    @property
    def size_bytes(self) -> int:
        return self.stop - self.start


class FileSlice(NamedTuple):
    """The lines of a read that begin at `start` or later, before `stop`."""

    read: Read
    start: int
    stop: int


def slices(reads: Iterable[Read]) -> Iterator[FileSlice]:
    """The reads cut into slices that a worker can hold, however large a file is."""
    for read in reads:
        for start in range(read.start, max(read.stop, read.start + 1), _SLICE_BYTES):
            yield FileSlice(read, start, min(start + _SLICE_BYTES, read.stop))


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
    """The lines of a slice: from the first that begins in it to the end of the last that does. Raises: LakeError."""
    end = piece.read.stop
    with _opened(volume / piece.read.name) as file:
        offset = 0
        if piece.start:
            file.seek(piece.start - 1)
            offset = piece.start - 1 + len(file.readline())
            if offset >= piece.stop:
                return WholeLines(offset, b"")
        data = file.read(piece.stop - offset)
        if data and not data.endswith(b"\n") and piece.stop < end:
            data += file.readline(end - piece.stop)
        return WholeLines(offset, data)


def _opened(path: Path) -> BinaryIO:
    """Raises: LakeError where the file went after a batch was written down with it."""
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise LakeError(
            f"volume file {path}: is gone, though a batch that is under way takes it in",
            "put it back, and run again; files of a volume are to stay once they are there",
        ) from error


def lines_before(path: Path, offset: int) -> int:
    """How many lines end before byte `offset`."""
    lines = 0
    with path.open("rb") as file:
        while offset > 0 and (chunk := file.read(min(_CHUNK_BYTES, offset))):
            lines += chunk.count(b"\n")
            offset -= len(chunk)
    return lines


def line_start(path: Path, offset: int) -> int:
    """Where the line begins that byte `offset` stands in; `offset` itself where a line ends just before it."""
    with path.open("rb") as file:
        end = offset
        while end > 0:
            begin = max(0, end - _CHUNK_BYTES)
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            end = begin
    return 0
