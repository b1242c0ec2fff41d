"""The upper lines of the live view: title and phase, simulated clock, way to the goal, figures."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from casper_ray.console import figures
from casper_ray.console.cells import bar, between, fit, styled
from casper_ray.console.glyphs import Glyphs
from casper_ray.console.progress import Progress
from casper_ray.console.trail import View
from casper_ray.domain.time import SimMicros, as_datetime

ACCENT: Final = "#f0883e"
GOOD: Final = "#3fb950"
BUSY: Final = "#d4a72c"
CALM: Final = "#58a6ff"
HOW_TO_STOP: Final = "Ctrl-C stops and saves; the same command resumes"

_STEADY: Final = {"live": GOOD, "paused": CALM}


def title_line(title: str, phase: str, wall_s: float, width: int, glyphs: Glyphs) -> Text:
    """What runs, its phase, and for how long."""
    clock = f"{int(wall_s) // 60:>3}:{int(wall_s) % 60:02d}"
    right = Text.assemble(
        (_sign(phase, wall_s, glyphs), _STEADY.get(phase, BUSY)), f" {phase}", (clock, "dim")
    )
    room = max(width - right.cell_len - 2, 0)
    return between(styled(fit(title, room, glyphs), "bold"), right, width)


def clock_line(progress: Progress, width: int, glyphs: Glyphs) -> Text:
    """The simulated clock; speed reached and asked."""
    now = as_datetime(SimMicros(progress.sim_now_us))
    left = Text.assemble(
        (f"{now:%a %d %b %Y}  ", ""),
        (f"{now:%H:%M}", f"bold {ACCENT}"),
        (f"   day {figures.day(progress.sim_now_us, progress.epoch_us)}", ""),
    )
    return between(left, _speed(progress, glyphs), width)


def goal_line(view: View, width: int, glyphs: Glyphs) -> Text:
    """A bar to the goal with the time left; how to end the run where there is no goal."""
    fraction = view.progress.fraction
    if fraction is None:
        return styled(fit(f"no end set: {HOW_TO_STOP}", width, glyphs), "dim")
    left = f", {figures.duration(view.left_s)} left" if view.left_s is not None else ""
    goal = glyphs.shown(figures.one_line(view.progress.goal_text))
    tail = Text.assemble(f"  {figures.percent(fraction):>4}", (f"  {goal}{left}", "dim"))
    tail.truncate(max(width // 2, 6))
    return Text.assemble(bar(fraction, width - tail.cell_len, glyphs, ACCENT), tail)


def figures_lines(progress: Progress, width: int, glyphs: Glyphs) -> list[Text]:
    """Labels, and below them the figures."""
    lag = progress.lag
    cells = [
        ("events/s", figures.count(progress.events_per_s), "bold"),
        ("events", figures.count(progress.events), "bold"),
        ("lag p50", figures.lag(lag.p50_ms), "bold"),
        ("lag p95", figures.lag(lag.p95_ms), "bold"),
        ("batches", figures.count(progress.batches), "bold"),
        ("rejected", figures.count(progress.quarantined), f"bold {BUSY}" if progress.quarantined else "bold"),
    ]
    shown = cells[: max(width // 12, 1)]
    each = width // len(shown)
    labels = Text.assemble(*((fit(label, each, glyphs), "dim") for label, _, _ in shown))
    values = Text.assemble(*((fit(value, each, glyphs), style) for _, value, style in shown))
    return [labels, values]


def note_line(note: str, width: int, glyphs: Glyphs) -> Text:
    """The last thing that happened."""
    if not note:
        return styled(fit(HOW_TO_STOP, width, glyphs), "dim")
    return Text.assemble((f"{glyphs.note} ", ACCENT), fit(note, width - 2, glyphs))


def _sign(phase: str, wall_s: float, glyphs: Glyphs) -> str:
    """A dot when steady, a turning spinner when busy."""
    if phase in _STEADY:
        return glyphs.pause if phase == "paused" else glyphs.dot
    return glyphs.spinner[int(wall_s * 4) % len(glyphs.spinner)]


def _speed(progress: Progress, glyphs: Glyphs) -> Text:
    asked = "max" if progress.speed_asked is None else figures.speed(progress.speed_asked, glyphs.times)
    if progress.speed_reached is None:
        return Text.assemble(("speed asked ", "dim"), asked)
    reached = figures.speed(progress.speed_reached, glyphs.times)
    return Text.assemble((reached, "bold"), (f" real time, asked {asked}", "dim"))
