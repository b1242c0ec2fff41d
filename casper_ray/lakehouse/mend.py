"""Mends of a table's own files. Nothing is deleted: it is set aside."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from casper_ray import durable
from casper_ray.lakehouse.fsck import Finding
from casper_ray.lakehouse.log import LogFiles, commit_fault


class Mender:
    """Mends one table. aside: the folder that takes what is taken out of the table's."""

    def __init__(self, table: Path, aside: Path) -> None:
        self._table = table
        self._aside = aside / f"{table.parent.name}.{table.name}" / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        self.done: list[str] = []

    def mend(self, findings: Iterable[Finding]) -> None:
        """Do what can be done here: set aside what is broken, cut the log before its first broken commit.

        What the table then lacks is for its pipeline to bring back.
        """
        found = list(findings)
        for finding in found:
            if finding.mend in ("set aside", "remove"):
                self._set_aside(self._table / finding.where)
        if any(finding.mend == "cut the log" for finding in found):
            self._cut()
        if any(finding.mend == "set aside" and "checkpoint" in finding.where for finding in found):
            self._set_aside(LogFiles.of(self._table).hint)
        durable.flush_folder(self._table / "_delta_log")

    def drop_log(self) -> None:
        """The whole log aside: the table is to be made anew."""
        self._set_aside(self._table / "_delta_log")

    def whole(self) -> bool:
        """Whether the log's commits reach from a checkpoint, or from the first, to the last without a gap."""
        log = LogFiles.of(self._table)
        if not log.commits:
            return False
        start = max(log.checkpoints, default=-1) + 1
        return all(version in log.commits for version in range(start, max(log.commits) + 1))

    def _cut(self) -> None:
        """Every commit from the first that is broken or missing, and checkpoints after it, aside.

        Commits that a sound checkpoint covers are only history: of those the broken one goes alone.
        """
        log = LogFiles.of(self._table)
        covered = max(log.checkpoints, default=-1)
        for version in [v for v in log.commits if v <= covered and commit_fault(log.commits[v])]:
            self._set_aside(log.commits[version])
        later = sorted(version for version in log.commits if version > covered)
        sound = covered
        for version in later:
            if version != sound + 1 or commit_fault(log.commits[version]):
                break
            sound = version
        for version in later:
            if version > sound:
                self._set_aside(log.commits[version])

    def _set_aside(self, path: Path) -> None:
        if not path.exists():
            return
        target = self._aside / path.relative_to(self._table)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        self.done.append(f"set aside {path.relative_to(self._table)}")
