"""The drawing characters of a terminal, with and without Unicode."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """`levels`: heights of a sparkline, lowest first; none fills its line, so that rows stay apart."""

    full: str
    empty: str
    rule: str
    dot: str
    pause: str
    layer: str
    note: str
    times: str
    ellipsis: str
    levels: str
    spinner: str
    ascii_only: bool

    def shown(self, text: str) -> str:
        """The text in characters that this terminal has."""
        return text.encode("ascii", "replace").decode() if self.ascii_only else text


UNICODE = Glyphs(
    full="━",
    empty="─",
    rule="─",
    dot="●",
    pause="○",
    layer="▪",
    note="›",  # noqa: RUF001
    times="×",
    ellipsis="…",
    levels="▁▂▃▄▅▆▇",
    spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    ascii_only=False,
)

ASCII = Glyphs(
    full="#",
    empty=".",
    rule="-",
    dot="*",
    pause="=",
    layer="|",
    note=">",
    times="x",
    ellipsis="~",
    levels="._-=+*#",
    spinner="|/-\\",
    ascii_only=True,
)
