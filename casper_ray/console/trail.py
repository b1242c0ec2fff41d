"""What the snapshots so far tell about the latest one: changes, time left, the last thing that happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from casper_ray.console.progress import Progress, TableState

WINDOW_S = 20.0
"""The time left follows the pace of these last seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A snapshot and what came before it. `changes`: rows that each table's last commit brought."""

    progress: Progress
    changes: Mapping[str, int]
    left_s: float | None


class Trail:
    """Follows one run's snapshots. Cheap: called once a batch on the run's own thread.

    `note`: the last thing that happened, in words.
    """

    def __init__(self) -> None:
        self._tables: dict[str, TableState] = {}
        self._changes: dict[str, int] = {}
        self._pace: deque[tuple[float, float]] = deque()
        self._phase = ""
        self._progress_note = ""
        self.note = ""

    def noted(self, text: str) -> None:
        self.note = text

    def after(self, progress: Progress) -> View:
        """The snapshot as a view, and remembered for the next one."""
        if progress.note != self._progress_note:
            self.note = self._progress_note = progress.note
        for table in progress.tables:
            before = self._tables.get(table.name)
            if before is not None and before.version != table.version:
                self._changes[table.name] = table.rows - before.rows
            self._tables[table.name] = table
        left_s = self._left_s(progress)
        return View(progress=progress, changes=dict(self._changes), left_s=left_s)

    def _left_s(self, progress: Progress) -> float | None:
        if progress.phase != self._phase:
            self._phase = progress.phase
            self._pace.clear()
        if progress.fraction is None or progress.phase == "paused":
            return None
        self._pace.append((progress.wall_s, progress.fraction))
        while self._pace[-1][0] - self._pace[0][0] > WINDOW_S and len(self._pace) > 2:
            self._pace.popleft()
        wall_s = progress.wall_s - self._pace[0][0]
        gained = progress.fraction - self._pace[0][1]
        return (1.0 - progress.fraction) * wall_s / gained if gained > 0 and wall_s >= 1 else None
