"""Pieces of a line that are exactly as wide as asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from casper_ray.console import figures
from casper_ray.console.glyphs import Glyphs


def fit(text: str, width: int, glyphs: Glyphs, align: Literal["left", "right"] = "left") -> str:
    """The text in one line of `width` columns: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    text = glyphs.shown(figures.one_line(text))
    spare = width - cell_len(text)
    if spare < 0:
        return set_cell_size(text, width - 1) + glyphs.ellipsis
    return " " * spare + text if align == "right" else text + " " * spare


def styled(text: str, style: str) -> Text:
    """One piece in one style, as a span: rich drops the base style of a text without spans."""
    return Text.assemble((text, style))


def between(left: Text, right: Text, width: int) -> Text:
    """Left and right at the two ends of the line; the right one gives way if both do not fit."""
    spare = width - left.cell_len - right.cell_len
    if spare < 1:
        return left
    return Text.assemble(left, " " * spare, right)


def bar(fraction: float, width: int, glyphs: Glyphs, style: str) -> Text:
    """A bar of `width` columns, filled up to the fraction."""
    filled = math.floor(figures.within(fraction) * width)
    return Text.assemble((glyphs.full * filled, style), (glyphs.empty * (width - filled), "dim"))


def sparkline(values: Sequence[int], highest: int, width: int, glyphs: Glyphs) -> str:
    """The latest values that fit, as heights relative to `highest`; two columns each if there is room."""
    shown = values[-width:] if width > 0 else ()
    each = 2 if 0 < len(shown) <= width // 2 else 1
    return "".join(_level(value, highest, glyphs) * each for value in shown)


def _level(value: int, highest: int, glyphs: Glyphs) -> str:
    if value <= 0 or highest <= 0:
        return " "
    steps = len(glyphs.levels)
    return glyphs.levels[min(math.ceil(value / highest * steps), steps) - 1]
