"""Lines of code, as messages point at them."""

from __future__ import annotations

import sys
from typing import NamedTuple


class SourceLine(NamedTuple):
    """Where something was declared, as editors and terminals link it."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def calling_line() -> SourceLine:
    """The line that makes an object, asked for by the default of one of its fields."""
    frame = sys._getframe(1)
    while frame.f_back is not None and (
        frame.f_code.co_filename == "<string>" or frame.f_code.co_name == "__init__"
    ):
        frame = frame.f_back
    return SourceLine(frame.f_code.co_filename, frame.f_lineno)
