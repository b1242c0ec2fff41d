"""The live view's picture of one moment, fitted to whatever size the terminal has just now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text

from casper_ray.console.cells import styled
from casper_ray.console.glyphs import ASCII, UNICODE, Glyphs
from casper_ray.console.header import clock_line, figures_lines, goal_line, note_line, title_line
from casper_ray.console.panes import place_lines, table_lines
from casper_ray.console.trail import View

WIDEST: Final = 160
SIDE_BY_SIDE: Final = 132
_GAP: Final = 4
_TABLES_WIDTH: Final = 74
_LEAST_LINES: Final = 3
"""A list with less room (blank, heading, one row) is left out."""
_A_FEW_LINES: Final = 6
"""Blank, heading and four places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Rendered by rich. `view` is None until the first snapshot; `wall_s` runs on between snapshots."""

    title: str
    view: View | None
    wall_s: float
    note: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = ASCII if options.ascii_only else UNICODE
        width, height = min(options.max_width, WIDEST), max(options.size.height - 1, 1)
        lines = list(self._lines(width, height, glyphs))[:height]
        for number, line in enumerate(lines):
            if number:
                yield Segment.line()
            line.truncate(width)
            line.rstrip()  # or the terminal's echo of ^C would wrap into a line that rich does not know of
            yield from line.render(console)

    def _lines(self, width: int, height: int, glyphs: Glyphs) -> Iterator[Text]:
        phase = "starting" if self.view is None else self.view.progress.phase
        yield title_line(self.title, phase, self.wall_s, width, glyphs)
        yield styled(glyphs.rule * width, "dim")
        if self.view is None:
            yield note_line(self.note, width, glyphs)
            return
        progress = self.view.progress
        yield clock_line(progress, width, glyphs)
        yield goal_line(self.view, width, glyphs)
        numbers = figures_lines(progress, width, glyphs)
        spare = height - 5 - len(numbers)
        lists = _list_lines(self.view, width, spare, glyphs)
        spare -= len(lists)
        if spare >= 1:
            yield Text()
        yield from numbers
        yield from lists
        if spare >= 2:
            yield Text()
        yield note_line(self.note, width, glyphs)


def _list_lines(view: View, width: int, room: int, glyphs: Glyphs) -> list[Text]:
    """Tables and places, a blank line above each, in at most `room` lines."""
    if width >= SIDE_BY_SIDE and view.progress.places and view.progress.tables:
        return _side_by_side(view, width, room, glyphs)
    tables_room, places_room = _shared(room, len(view.progress.tables), len(view.progress.places))
    lines: list[Text] = []
    if tables_room:
        lines += [Text(), *table_lines(view, width, tables_room - 1, glyphs)]
    if places_room:
        lines += [Text(), *place_lines(view, width, places_room - 1, glyphs)]
    return lines


def _shared(room: int, tables: int, places: int) -> tuple[int, int]:
    """Lines for tables and for places: a few places first, more only in what tables leave or half."""
    tables_want, places_want = tables + 2 if tables else 0, places + 2 if places else 0
    places_room = min(places_want, max(room - tables_want, room // 2, _A_FEW_LINES))
    tables_room = min(tables_want, room - places_room)
    if tables_room < _LEAST_LINES:
        tables_room, places_room = 0, min(places_want, room)
    return tables_room, places_room if places_room >= _LEAST_LINES else 0


def _side_by_side(view: View, width: int, room: int, glyphs: Glyphs) -> list[Text]:
    if room < _LEAST_LINES:
        return []
    left = table_lines(view, _TABLES_WIDTH, room - 1, glyphs)
    right = place_lines(view, width - _TABLES_WIDTH - _GAP, room - 1, glyphs)
    lines = [Text()]
    for number in range(max(len(left), len(right))):
        line = left[number].copy() if number < len(left) else Text()
        line.append(" " * (_TABLES_WIDTH + _GAP - line.cell_len))
        lines.append(line.append_text(right[number]) if number < len(right) else line)
    return lines
