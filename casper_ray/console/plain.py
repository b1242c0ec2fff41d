"""Plain lines, for pipes, logs and CI: a line a couple of seconds, and one whenever the phase changes."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from casper_ray.console import figures
from casper_ray.console.lines import write_line
from casper_ray.console.progress import Progress, Summary
from casper_ray.console.summary import plain_text, summary_lines
from casper_ray.console.trail import Trail, View

EVERY_S = 2.0
NOTES_AT_ONCE = 5
"""Notes printed between two progress lines; the rest are counted."""


class PlainWatcher:
    """Writes to `out`. `clock`: seconds that only rise."""

    def __init__(self, out: TextIO, clock: Callable[[], float], every_s: float = EVERY_S) -> None:
        self._out, self._clock, self._every_s = out, clock, every_s
        self._trail = Trail()
        self._phase: str | None = None
        self._line_at_s = 0.0
        self._last_note = ""
        self._notes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def started(self, title: str) -> None:
        write_line(self._out, figures.one_line(title))

    def progressed(self, progress: Progress) -> None:
        view = self._trail.after(progress)
        now_s = self._clock()
        if progress.phase != self._phase or now_s - self._line_at_s >= self._every_s:
            self._phase, self._line_at_s = progress.phase, now_s
            self._tell_unprinted_notes()
            write_line(self._out, progress_line(view))
        if self._trail.note:
            self.noted(self._trail.note)

    def noted(self, text: str) -> None:
        self._trail.noted(text)
        if text == self._last_note:
            return
        self._last_note = text
        self._notes += 1
        if self._notes <= NOTES_AT_ONCE:
            write_line(self._out, f"  note: {figures.one_line(text)}")

    def finished(self, summary: Summary) -> None:
        self._tell_unprinted_notes()
        write_line(self._out, "")
        for line in summary_lines(summary):
            write_line(self._out, plain_text(line))

    def _tell_unprinted_notes(self) -> None:
        if self._notes > NOTES_AT_ONCE:
            write_line(self._out, f"  note: {self._notes - NOTES_AT_ONCE} more")
        self._notes = 0


def progress_line(view: View) -> str:
    """The snapshot as one line of ASCII figures."""
    p = view.progress
    parts = [f"{figures.duration(p.wall_s):>7}", f"{p.phase:<11}"]
    parts.append(f"{figures.sim_minute(p.sim_now_us)} (day {figures.day(p.sim_now_us, p.epoch_us)})")
    if p.speed_reached is not None:
        asked = "max" if p.speed_asked is None else figures.speed(p.speed_asked)
        parts.append(f"{figures.speed(p.speed_reached)} of {asked}")
    parts.append(f"{figures.count(p.events)} events")
    parts.append(f"{figures.count(p.events_per_s)}/s")
    if p.lag.p50_ms is not None:
        parts.append(f"lag {figures.lag(p.lag.p50_ms)}, p95 {figures.lag(p.lag.p95_ms)}")
    if p.quarantined:
        parts.append(f"{p.quarantined:,} rejected")
    if p.fraction is not None:
        left = f", {figures.duration(view.left_s)} left" if view.left_s is not None else ""
        parts.append(f"{figures.percent(p.fraction)} {figures.one_line(p.goal_text)}{left}")
    return "  ".join(parts)
