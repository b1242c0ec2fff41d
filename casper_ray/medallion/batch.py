"""A batch: what is written down before it runs, so that it can be run again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from casper_ray import durable
from casper_ray.errors import LakeError
from casper_ray.lakehouse.volume import VolumeFile

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The promise: these files, in this batch, known from then.

    files with the size that counts. known_from_us: per file, see `FileSlice`. sim_instant_us: the
    simulated instant by which the batch's rows are known (None: that of its newest event).
    ingested_at_us: wall time, the same when the batch runs again. replaces: tables that this batch makes
    anew, from files that they had before; the other tables are left alone. Empty: new files, all tables.
    """

    number: int
    files: tuple[VolumeFile, ...]
    known_from_us: tuple[int | None, ...]
    sim_instant_us: int | None
    ingested_at_us: int
    replaces: tuple[str, ...] = ()


class BatchJournal:
    """The one batch that is under way, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, batch: Batch) -> None:
        """Durable when this returns."""
        durable.write_json(self._path, {"format": _FORMAT, **asdict(batch)})

    def pending(self) -> Batch | None:
        """The batch that was last written down, whether it was finished or not. Raises: LakeError."""
        try:
            value = durable.read_json(self._path)
            return None if value is None else _batch(value)
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(f"{self._path}: is not a batch ({error})", "restore it from a copy") from error


def _batch(value: dict[str, Any]) -> Batch:
    if (found := value.pop("format")) != _FORMAT:
        raise ValueError(f"format {found}, expected {_FORMAT}")
    files = tuple(VolumeFile(*file) for file in value.pop("files"))
    known = tuple(value.pop("known_from_us"))
    return Batch(files=files, known_from_us=known, replaces=tuple(value.pop("replaces")), **value)
