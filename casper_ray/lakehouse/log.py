"""A table's log as files on disk: commits, checkpoints, the hint; read without delta-rs, which may refuse them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.parquet")
HINT = "_last_checkpoint"
ACTIONS = "casperActions"
"""In a commit's information: how many actions follow it. A commit torn at the end of a line is still valid JSON."""


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The `_delta_log` of a table. commits, checkpoints: version -> file."""

    folder: Path
    commits: dict[int, Path]
    checkpoints: dict[int, Path]

    @classmethod
    def of(cls, table: Path) -> LogFiles:
        folder = table / "_delta_log"
        return cls(folder, _by_version(folder, _COMMIT), _by_version(folder, _CHECKPOINT))

    @property
    def hint(self) -> Path:
        return self.folder / HINT

    def hinted_version(self) -> int | None:
        """The checkpoint that the hint names; None without a hint. Raises: ValueError where it is no such JSON."""
        if not self.hint.exists():
            return None
        value = json.loads(self.hint.read_bytes())
        return int(value["version"])

    def mentioned_files(self) -> set[str]:
        """Every data file that any readable commit or checkpoint names, whether it is still live or not."""
        named = set()
        for path in self.commits.values():
            if commit_fault(path) is None:
                named |= set(_paths(read_commit(path)))
        for path in self.checkpoints.values():
            if checkpoint_fault(path) is None:
                named |= _paths_in_checkpoint(path)
        return named


def read_commit(path: Path) -> list[dict[str, Any]]:
    """The actions of a commit. Raises: ValueError where a line is no JSON object."""
    actions = [json.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
    if not all(isinstance(action, dict) for action in actions):
        raise ValueError("a line is no action")
    return actions


def commit_fault(path: Path) -> str | None:
    """What is wrong with a commit file; None if nothing is."""
    if path.stat().st_size == 0:
        return "is empty"
    try:
        actions = read_commit(path)
    except ValueError:
        return "is torn: a line is no JSON"
    if not actions:
        return "has no actions"
    promised = next(
        (int(a["commitInfo"][ACTIONS]) for a in actions if ACTIONS in a.get("commitInfo", {})), None
    )
    found = sum("commitInfo" not in action for action in actions)
    if promised is not None and found != promised:
        return f"is torn: it has {found} of its {promised} actions"
    return None


def checkpoint_fault(path: Path) -> str | None:
    """What is wrong with a checkpoint; None if nothing is. Reads it whole."""
    try:
        pq.read_table(path, columns=["txn"] if path.stat().st_size > 1 << 26 else None)
    except (OSError, pa.ArrowException) as error:
        return f"cannot be read ({str(error).splitlines()[0][:120]})"
    return None


def newest_commits(table: Path) -> list[Path]:
    """The commits of a table that no checkpoint stands for, oldest first."""
    names = os.listdir(folder) if (folder := table / "_delta_log").is_dir() else []
    covered = max((name[:20] for name in names if _CHECKPOINT.fullmatch(name)), default="")
    return [folder / name for name in sorted(names) if _COMMIT.fullmatch(name) and name[:20] > covered]


def _by_version(folder: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    found = ((pattern.fullmatch(path.name), path) for path in folder.iterdir()) if folder.is_dir() else ()
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def _paths(actions: list[dict[str, Any]]) -> Iterator[str]:
    for action in actions:
        for kind in ("add", "remove", "cdc"):
            if kind in action:
                yield unquote(action[kind]["path"])


def _paths_in_checkpoint(path: Path) -> set[str]:
    named: set[str] = set()
    present = pl.read_parquet_schema(path)
    kinds: list[str] = [kind for kind in ("add", "remove") if kind in present]
    for actions in pl.read_parquet(path, columns=kinds) if kinds else ():
        named |= {unquote(text) for text in actions.struct.field("path").drop_nulls().to_list()}
    return named
