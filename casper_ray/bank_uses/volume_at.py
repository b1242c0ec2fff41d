"""A catalog's volume as it was at an instant: which files there were, and how much of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.volume import VolumeFile, new_files
from casper_ray.medallion.declare import Pipeline
from casper_ray.medallion.files import Read


class Survivor(NamedTuple):
    """A file that was there. instant_us: by when. size_bytes: how much of it was."""

    name: str
    instant_us: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Drops:
    """What is known of files by those who read them: from when each was there, and up to which byte by then."""

    first_us: dict[str, int]
    read_bytes: dict[str, int]

    @classmethod
    def of(cls, reads: Iterable[tuple[int, Read]]) -> Drops:
        """reads: with the instants of their batches, oldest first."""
        drops = cls({}, {})
        for instant_us, read in reads:
            drops.first_us.setdefault(read.name, instant_us)
            drops.read_bytes[read.name] = max(read.stop, drops.read_bytes.get(read.name, 0))
        return drops


def survivors(catalog: Catalog, pipeline: Pipeline, drops: Drops, until_us: int) -> Iterator[Survivor]:
    """The files that the volumes had at `until_us`, in no particular order.

    Rules: a file of a replay's window was there by the window's end, whether or not anybody read it. Of other files
    only `drops` knows when they came. A file that grew later is taken as far as it had been read.
    """
    root = pipeline.files_root(catalog.root)
    for source in pipeline.sources:
        for file in new_files(root, (), pipeline.prefix(source)):
            window = pipeline.window_of(file.name)
            instant_us = window.to_us if window else drops.first_us.get(file.name)
            if instant_us is not None and instant_us <= until_us:
                yield Survivor(file.name, instant_us, _size_bytes(file, drops))


def _size_bytes(file: VolumeFile, drops: Drops) -> int:
    return min(file.size_bytes, drops.read_bytes.get(file.name, file.size_bytes))


def bring(files: Iterable[Survivor], source: Path, target: Path) -> None:
    """Put the files into another volume: linked where the disk allows it, else copied; cut where they had not grown.

    Retry: safe.
    """
    for file in files:
        path, wanted = source / file.name, target / file.name
        wanted.parent.mkdir(parents=True, exist_ok=True)
        if file.size_bytes < path.stat().st_size:
            _copy_beginning(path, wanted, file.size_bytes)
        else:
            _link(path, wanted)


def _link(path: Path, wanted: Path) -> None:
    try:
        os.link(path, wanted)
    except FileExistsError:
        return
    except OSError:  # another disk, or one without links
        shutil.copyfile(path, wanted)


def _copy_beginning(path: Path, wanted: Path, size_bytes: int) -> None:
    with path.open("rb") as whole, wanted.open("wb") as begun:
        left = size_bytes
        while left > 0 and (chunk := whole.read(min(left, 1 << 20))):
            begun.write(chunk)
            left -= len(chunk)
