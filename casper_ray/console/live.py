"""The live view of a terminal. rich repaints it from a thread of its own, four times a second."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.console import Console, ConsoleDimensions
from rich.control import Control
from rich.live import Live
from rich.text import Text

from casper_ray.console.frame import Frame
from casper_ray.console.progress import Progress, Summary
from casper_ray.console.summary import Line, Role, summary_lines
from casper_ray.console.trail import Trail, View

REPAINTS_PER_S: Final = 4

_STYLES: Final[dict[Role, str]] = {
    "plain": "",
    "heading": "bold",
    "label": "dim",
    "value": "bold",
    "warning": "#d4a72c",
    "command": "#58a6ff",
}


class LiveWatcher:
    """Shows the latest snapshot in place; the run's thread only stores it. `clock`: seconds that only rise.

    Ends with the summary in place of the view; if the run failed, with the last view left standing. What
    other code prints meanwhile appears above.
    """

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console, self._clock = console, clock
        self._trail = Trail()
        self._title = ""
        self._latest: tuple[View | None, float] = (None, clock())
        self._size: ConsoleDimensions = console.size
        self._live = Live(
            get_renderable=self._frame, console=console, refresh_per_second=REPAINTS_PER_S, transient=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop(leave_view=kind is not None)

    def started(self, title: str) -> None:
        self._title = title
        self._latest = (None, self._clock())
        self._live.start()

    def progressed(self, progress: Progress) -> None:
        self._latest = (self._trail.after(progress), self._clock() - progress.wall_s)

    def noted(self, text: str) -> None:
        self._trail.noted(text)

    def finished(self, summary: Summary) -> None:
        self._stop(leave_view=False)
        for line in summary_lines(summary):
            self._console.print(_styled(line), soft_wrap=True)

    def _frame(self) -> Frame:
        """Called by rich for each repaint."""
        self._mind_new_size()
        view, began_s = self._latest
        return Frame(title=self._title, view=view, wall_s=self._clock() - began_s, note=self._trail.note)

    def _mind_new_size(self) -> None:
        """Start from an empty screen after a resize: the terminal has wrapped the old view's lines."""
        size = self._console.size
        if size != self._size:
            self._size = size
            self._console.control(Control.clear(), Control.home())

    def _stop(self, *, leave_view: bool) -> None:
        if not self._live.is_started:
            return
        self._live.transient = not leave_view
        try:
            self._live.stop()
        finally:
            self._console.show_cursor(True)


def _styled(line: Line) -> Text:
    return Text.assemble(*((piece.text, _STYLES[piece.role]) for piece in line))
