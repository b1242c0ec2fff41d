"""What is amiss with a table on disk. Looks only; `mend` does something about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from casper_ray.lakehouse.data_file import file_digest, named_digest
from casper_ray.lakehouse.log import LogFiles, checkpoint_fault, commit_fault
from casper_ray.lakehouse.open_table import live_files

Mend = Literal["cut the log", "set aside", "rebuild", "remove", "bring forward", "finish"]


class Finding(NamedTuple):
    """One thing that is amiss. where: the file, from the table's folder. mend: what would mend it.

    grave: rows are lost or cannot be read; else it is only in the way.
    """

    table: str
    what: str
    where: str
    mend: Mend
    grave: bool = True

    def __str__(self) -> str:
        return f"{self.table}: {self.what}{f' ({self.where})' if self.where else ''}; mend: {self.mend}"


def table_findings(
    name: str, path: Path, *, deep: bool = False, told: Callable[[str], None] | None = None
) -> list[Finding]:
    """Everything that is amiss with the table at `path`.

    Rules: the log is looked at first; data files only where it can be read. `deep` reads every live data file and
    holds it against the digest in its name; without it sizes and footers are looked at.
    """
    log = LogFiles.of(path)
    found = [*_log_findings(name, log), *_hint_findings(name, log), *_checkpoint_findings(name, log)]
    if any(finding.grave for finding in found):
        return found
    try:
        handle = DeltaTable(str(path))
    except DeltaError as error:
        text = str(error).splitlines()[0][:160]
        return [*found, Finding(name, f"its log cannot be read: {text}", "_delta_log", "rebuild")]
    found += _file_findings(name, path, handle, deep=deep, told=told or (lambda text: None))
    return [*found, *_stray_findings(name, path, log)]


def _log_findings(name: str, log: LogFiles) -> Iterator[Finding]:
    faults = {version: fault for version, file in log.commits.items() if (fault := commit_fault(file))}
    for version, fault in faults.items():
        yield Finding(
            name, f"commit {version} {fault}", f"_delta_log/{log.commits[version].name}", "cut the log"
        )
    versions = sorted(log.commits)
    for before, after in pairwise(versions):
        if after != before + 1:
            history_only = any(checkpoint >= after - 1 for checkpoint in log.checkpoints)
            if not history_only:
                yield Finding(
                    name, f"commits {before + 1} to {after - 1} are missing", "_delta_log", "cut the log"
                )


def _hint_findings(name: str, log: LogFiles) -> Iterator[Finding]:
    try:
        hinted = log.hinted_version()
    except (ValueError, KeyError, TypeError):
        yield Finding(name, "the checkpoint hint is not readable", "_delta_log/_last_checkpoint", "set aside")
        return
    if hinted is not None and hinted not in log.checkpoints:
        where = "_delta_log/_last_checkpoint"
        yield Finding(name, f"the hint names checkpoint {hinted}, which is not there", where, "set aside")


def _checkpoint_findings(name: str, log: LogFiles) -> Iterator[Finding]:
    for version, file in log.checkpoints.items():
        if fault := checkpoint_fault(file):
            yield Finding(name, f"checkpoint {version} {fault}", f"_delta_log/{file.name}", "set aside")


def _file_findings(
    name: str, path: Path, handle: DeltaTable, *, deep: bool, told: Callable[[str], None]
) -> Iterator[Finding]:
    files = live_files(handle).select("path", "size_bytes").rows()
    for number, (file, size_bytes) in enumerate(files, 1):
        if fault := _file_fault(path / file, size_bytes, deep):
            yield Finding(name, f"a data file {fault}", file, "rebuild")
        if deep and number % 1000 == 0:
            told(f"{name}: {number:,} of {len(files):,} files read")


def _file_fault(file: Path, size_bytes: int, deep: bool) -> str | None:
    if not file.exists():
        return "is missing"
    if (found := file.stat().st_size) != size_bytes:
        return f"has {found} bytes, the log says {size_bytes}"
    digest = named_digest(file.name)
    if deep and digest is not None:
        return (
            None if file_digest(file) == digest else "is damaged: its bytes are not those that were written"
        )
    try:
        if deep:
            pq.read_table(file)
        else:
            pq.read_metadata(file)
    except (OSError, pa.ArrowException):
        return "is damaged: it cannot be read"
    return None


def _stray_findings(name: str, path: Path, log: LogFiles) -> Iterator[Finding]:
    """Files that no version names: left by a run that died, or by a batch that is under way."""
    named = log.mentioned_files()
    for file in sorted(path.rglob("*.parquet*")):
        where = str(file.relative_to(path))
        if "_delta_log" in where:
            continue
        if file.name.startswith(".") and file.name.endswith(".part"):
            yield Finding(name, "a file that was never finished", where, "remove", grave=False)
        elif where not in named:
            yield Finding(name, "a data file that no version names", where, "remove", grave=False)
