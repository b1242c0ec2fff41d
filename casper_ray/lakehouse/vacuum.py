"""Data files that nobody needs any more, removed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from casper_ray.lakehouse.log import LogFiles, read_commit
from casper_ray.lakehouse.open_table import OpenTable

RETENTION = timedelta(days=7)
"""How long what was replaced stays readable, in wall time. Longer than any reader reads, and than any job runs."""


def vacuum(table: OpenTable, retention: timedelta = RETENTION, *, dry_run: bool = False) -> list[str]:
    """Files that no version within the retention needs, removed; also those that no version names at all.

    Returns: their paths, from the table's folder.
    Rules: a file younger than the retention stays, whoever wrote it: a batch that is under way may need it. So does
    every file that the newest version has, or that a commit within the retention removed: what a version within the
    retention has was either removed since, or is still there. Commits tell it, not tombstones, which checkpoints keep
    for a week whatever the retention is. Hidden files, and folders that begin with '_', are not looked at.
    Retry: safe, and beside a writer that goes on.
    Raises: ValueError where a commit is torn; nothing is removed then.
    """
    limit_s = time.time() - retention.total_seconds()
    found = [path for path in _data_files(table.path) if path.stat().st_mtime <= limit_s]
    table.refresh()  # after the look at the folder: a file that was committed in between is live
    needed = _needed(table, limit_s)
    gone = [path for path in found if str(path.relative_to(table.path)) not in needed]
    return sorted(str(path.relative_to(table.path)) for path in gone if dry_run or _remove(path, limit_s))


def _data_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.parquet"):
        if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts):
            yield path


def _needed(table: OpenTable, limit_s: float) -> set[str]:
    log = LogFiles.of(table.path)
    within = _since(log, limit_s)
    if within and within != list(range(within[0], table.version + 1)):
        return log.mentioned_files()  # a repair set a commit aside: nobody knows what it removed
    removed = {
        unquote(action["remove"]["path"])
        for version in within
        for action in read_commit(log.commits[version])
        if "remove" in action
    }
    return table.files.keys() | removed


def _since(log: LogFiles, limit_s: float) -> list[int]:
    """The commits from the first that is within the retention, by its own time or its file's, whichever is later."""
    versions = list(log.commits)
    first = next((v for v in versions if _made_s(log.commits[v]) >= limit_s), None)
    return [] if first is None else [v for v in versions if v >= first]


def _made_s(commit: Path) -> float:
    with commit.open("rb") as file:
        information: dict[str, Any] = json.loads(file.readline() or b"{}").get("commitInfo", {})
    return max(commit.stat().st_mtime, float(information.get("timestamp", 0)) / 1000)


def _remove(path: Path, limit_s: float) -> bool:
    """Whether the file is gone; one that was written again since the look at the folder stays."""
    if path.stat().st_mtime > limit_s:
        return False
    path.unlink()
    return True
