"""A file system in memory that can be filled to the last page, and emptied again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = 4096


class NoSmallDiskError(Exception):
    """A small file system cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A mounted disk. Its filler takes what nobody else shall have."""

    folder: Path

    def leave(self, pages: int) -> None:
        """Have no more than so many pages free."""
        self.clear()
        state = os.statvfs(self.folder)
        taken = state.f_bavail * state.f_bsize - pages * PAGE_BYTES
        with self._filler.open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, taken)

    def clear(self) -> None:
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A disk of so many megabytes, mounted at `folder` for the block. Raises: NoSmallDiskError."""
    if os.geteuid() != 0:
        raise NoSmallDiskError("only root may mount a small file system")
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        raise NoSmallDiskError(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
