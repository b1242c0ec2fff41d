"""What is new in a pipeline's volumes, as reads for the next batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from casper_ray.errors import LakeError
from casper_ray.lakehouse.volume import grown_files, new_files
from casper_ray.medallion.batches import Progress
from casper_ray.medallion.declare import Pipeline
from casper_ray.medallion.files import Read, line_start

_WATCHED_FILES = 256
"""How many of the files that were read last are looked at again with each batch; a run begins with a look at all."""


class Intake:
    """Finds files that no batch had, and files that grew after a batch had them."""

    def __init__(self, root: Path, pipeline: Pipeline, *, late_accepted: bool) -> None:
        self._root, self._pipeline, self._late_accepted = root, pipeline, late_accepted
        self._looked_at_all = False
        self._grew: set[str] = set()

    def new_reads(self, progress: Progress) -> list[Read]:
        """Reads of what is new, in the order of the windows that brought the files, whichever source's they are;
        files that no window brought come last, by name. Of a file that grew, the lines that were not there, and
        the last one anew if it was not whole. From when they were known is for `dated` to say.
        """
        reads = [
            Read(file.name, 0, file.size_bytes)
            for source in self._pipeline.sources
            for file in new_files(self._root, progress.taken, self._pipeline.prefix(source))
        ]
        for name, size_bytes in grown_files(self._root, self._watched(progress), progress.taken):
            self._grew.add(name)
            start = line_start(self._root / name, progress.taken[name])
            reads.append(Read(name, start, size_bytes))
        return sorted(reads, key=self._landing)

    def _landing(self, read: Read) -> tuple[bool, int, Read]:
        """By window, so that what a batch has no room for is of later days, and not another source's same days."""
        window = self._pipeline.window_of(read.name)
        return (window is None, window.to_us if window else 0, read)

    def all_reads(self, progress: Progress, *, new: bool) -> list[Read]:
        """Every read there was, in the order in which they came; then what is `new`, if that is asked for.

        Raises: LakeError where files are gone or shorter than what was read of them.
        """
        self._check_whole(progress)
        old = list(progress.reads.values())
        if self._late_accepted:
            old = [read._replace(late_accepted=True) for read in old]
        return [*old, *self.dated(self.new_reads(progress), progress, None)] if new else old

    def dated(self, reads: Sequence[Read], progress: Progress, sim_instant_us: int | None) -> list[Read]:
        """The reads with from when they were known, when they had landed, and whether late rows count; in the order
        in which they landed, by name where that is the same.

        A file of a replay's window was known from the window's start and had landed by its end; what grew later,
        and any other file, by the batch's own instant. Where no replay ever was and nobody gives the time, nobody
        knows when a file had landed.
        """
        instant = instant_of(reads, self._pipeline, progress, sim_instant_us)
        windows = any(self._pipeline.window_of(read.name) for read in reads)
        told = progress.timed or windows or sim_instant_us is not None
        dated = [self._dated(read, instant, instant if told else None) for read in reads]
        return sorted(dated, key=lambda read: (read.landed_us is None, read.landed_us, read))

    def _dated(self, read: Read, instant_us: int | None, landed_us: int | None) -> Read:
        window = None if read.start else self._pipeline.window_of(read.name)
        known = window.from_us if window else instant_us
        landed = window.to_us if window else landed_us
        return read._replace(known_from_us=known, landed_us=landed, late_accepted=self._late_accepted)

    def _watched(self, progress: Progress) -> Iterable[str]:
        """Files to look at again; one that grew once may grow again, and may still have to be read."""
        if not self._looked_at_all:
            self._looked_at_all = True
            return list(progress.taken)
        return self._grew.union(islice(reversed(progress.taken), _WATCHED_FILES))

    def _check_whole(self, progress: Progress) -> None:
        lost = [name for name, stop in progress.taken.items() if self._size_bytes(name) < stop]
        if lost:
            raise LakeError(
                f"volume {self._root}: {len(lost)} files that were read are gone or cut short, such as {lost[0]}; "
                f"made anew, the tables would lack their rows",
                "put them back, and refresh again",
            )

    def _size_bytes(self, name: str) -> int:
        try:
            return (self._root / name).stat().st_size
        except FileNotFoundError:
            return -1


def instant_of(
    reads: Iterable[Read], pipeline: Pipeline, progress: Progress, sim_instant_us: int | None
) -> int | None:
    """Where simulated time stands for a batch: as given, or as the files' own windows say, whichever is later (a
    window that landed ahead of the pipeline counts to its end: nobody knew its rows before); else as before.
    """
    windows = [pipeline.window_of(read.name) for read in reads]
    ends = [window.to_us for window in windows if window]
    given = [] if sim_instant_us is None else [sim_instant_us]
    return max([*given, *ends], default=progress.sim_instant_us)


def first_bytes(reads: list[Read], limit_bytes: int) -> list[Read]:
    """As many reads from the front as fit the limit, one at least."""
    taken: list[Read] = []
    filled = 0
    for read in reads:
        if taken and filled + read.size_bytes > limit_bytes:
            break
        taken.append(read)
        filled += read.size_bytes
    return taken
