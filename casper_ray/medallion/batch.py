"""A batch: what is written down before it runs, so that it can be run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casper_ray import durable
from casper_ray.errors import LakeError
from casper_ray.medallion.files import Read
from casper_ray.medallion.quality import Quality

_FORMAT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The promise: these reads of files, in this batch, judged by these rules.

    sim_instant_us: the simulated instant by which the batch's rows are known (None: that of its newest event).
    ingested_at_us: wall time, the same when the batch runs again. replaces: tables that this batch makes anew, from
    files that they had before; the other tables are left alone. Empty: new files, all tables. references: the
    version of each table that tells what is known, `schema.table`; None: there is no such table. keys: the version of
    each purpose's key that personal columns are hidden with.
    """

    number: int
    reads: tuple[Read, ...]
    sim_instant_us: int | None
    ingested_at_us: int
    quality: Quality
    replaces: tuple[str, ...] = ()
    references: Mapping[str, int | None] = field(default_factory=dict)
    keys: Mapping[str, int] = field(default_factory=dict)


class BatchJournal:
    """The one batch that is under way, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, batch: Batch) -> None:
        """Durable when this returns."""
        durable.write_json(self._path, _as_json(batch))

    def pending(self) -> Batch | None:
        """The batch that was last written down, whether it was finished or not. Raises: LakeError."""
        try:
            value = durable.read_json(self._path)
            return None if value is None else _batch(value)
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(f"{self._path}: is not a batch ({error})", "restore it from a copy") from error

    def forget(self) -> None:
        """The batch is not to run again: nothing of it was committed, and its number is free."""
        self._path.unlink(missing_ok=True)
        durable.flush_folder(self._path.parent)


def _as_json(batch: Batch) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "number": batch.number,
        "sim_instant_us": batch.sim_instant_us,
        "ingested_at_us": batch.ingested_at_us,
        "replaces": batch.replaces,
        "references": batch.references,
        "keys": batch.keys,
        "quality": batch.quality.as_json(),
        "reads": batch.reads,
    }


def _batch(value: dict[str, Any]) -> Batch:
    if (found := value.pop("format")) != _FORMAT:
        raise ValueError(f"format {found}, expected {_FORMAT}")
    reads = tuple(Read(*read) for read in value.pop("reads"))
    quality = Quality.from_json(value.pop("quality"))
    return Batch(reads=reads, quality=quality, replaces=tuple(value.pop("replaces")), **value)
