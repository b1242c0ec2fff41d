"""A Delta table's log read as plain JSON: what every version said, by nobody's code but this."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

APP = "casper/kitchen"


def actions(table: Path) -> Iterator[dict[str, Any]]:
    """Every action of every version, oldest first. Raises: AssertionError where a version is missing."""
    versions = sorted((table / "_delta_log").glob("*.json"))
    assert [int(version.stem) for version in versions] == list(range(len(versions))), f"{table}: log has gaps"
    for version in versions:
        for line in version.read_text().splitlines():
            yield json.loads(line)


def batches_of(table: Path) -> Counter[int]:
    """How often each batch stands in the table's log."""
    found = (action["txn"] for action in actions(table) if "txn" in action)
    return Counter(txn["version"] for txn in found if txn["appId"] == APP)


def orphans(table: Path) -> list[Path]:
    """Files in the table's folder that no version ever named: data nobody can read, and halves of files."""
    named = {unquote(a[kind]["path"]) for a in actions(table) for kind in ("add", "cdc") if kind in a}
    return [path for path in _files(table) if str(path.relative_to(table)) not in named]


def live_files(table: Path) -> set[str]:
    """The files of the table's newest version, by their paths in its folder."""
    live: set[str] = set()
    for action in actions(table):
        if "add" in action:
            live.add(unquote(action["add"]["path"]))
        elif "remove" in action:
            live.discard(unquote(action["remove"]["path"]))
    return live


def beside(table: Path, live: set[str]) -> list[Path]:
    """Files in the table's folder that are not among these."""
    return [path for path in _files(table) if str(path.relative_to(table)) not in live]


def _files(table: Path) -> list[Path]:
    log = table / "_delta_log"
    return sorted(path for path in table.rglob("*") if path.is_file() and log not in path.parents)
