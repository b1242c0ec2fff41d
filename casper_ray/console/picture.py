"""The live view as an SVG picture, for a README: made from a real run's snapshots."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from casper_ray.console.frame import Frame
from casper_ray.console.progress import Progress
from casper_ray.console.trail import Trail

_REMOTE_FONTS: Final = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)
_FONT: Final = "DejaVu Sans Mono, Menlo, Consolas, monospace"
_TEXT_BEGINNING_BLANK: Final = re.compile(
    r'x="([\d.]+)" (y="[\d.]+") textLength="([\d.]+)"([^>]*)>((?:&#160;)+)'
)
_COLUMN_WIDTH: Final = 12.2
"""Of rich's SVG: its 20 points high characters, 0.61 as wide."""


def picture(snapshots: Sequence[Progress], title: str, width: int = 100, height: int = 32) -> str:
    """The SVG of a terminal as it stood at the last of a run's snapshots; the earlier ones tell the changes.

    `width`, `height`: columns and lines. The SVG fetches nothing, fonts included.
    """
    trail = Trail()
    for snapshot in snapshots:
        view = trail.after(snapshot)
    console = Console(
        width=width,
        height=height,
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
    )
    console.print(Frame(title=title, view=view, wall_s=view.progress.wall_s, note=trail.note))
    svg = console.export_svg(title="casper", code_format=_format_without_remote_fonts())
    return _TEXT_BEGINNING_BLANK.sub(_without_leading_blanks, svg)


def _without_leading_blanks(text: re.Match[str]) -> str:
    """The text element begun at its first visible character: some viewers ignore blanks at the beginning."""
    x, y, length, rest, blanks = text.groups()
    blank_width = len(blanks) // len("&#160;") * _COLUMN_WIDTH
    return f'x="{float(x) + blank_width:g}" {y} textLength="{float(length) - blank_width:g}"{rest}>'


def _format_without_remote_fonts() -> str:
    return _REMOTE_FONTS.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code", _FONT)
