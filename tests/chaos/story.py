"""What a story of the chaos suite is: something terrible, done to a real lake, and what was left of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a story ended.

    done: what was done, with numbers. found: what was left of it, with numbers. passed: whether that is what was
    promised. figures: the numbers by name, for the report. trouble: what was amiss, for whoever has to mend it.
    """

    done: str
    found: str
    passed: bool
    figures: dict[str, float] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a story plays. folder: its own, empty. seed: the same seed, the same story. scale: `short` for the tests,
    `usual` for `make chaos`, `full` with CHAOS_FULL=1. told: progress, a line at a time.
    """

    folder: Path
    seed: int
    scale: str
    told: Callable[[str], None]

    def times(self, *, short: int, usual: int, full: int) -> int:
        return {"short": short, "usual": usual, "full": full}[self.scale]


Story = Callable[[Stage], list[Outcome]]
"""A story; one outcome a row of the table."""
