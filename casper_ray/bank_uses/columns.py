"""Rows of text in columns, as wide as what is in them."""

from __future__ import annotations

from collections.abc import Sequence


def in_columns(heads: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> list[str]:
    """The lines of a table under its heads. texts: how many from the left are text; the others are numbers."""
    widths = [max(len(line[place]) for line in (heads, *rows)) for place in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        told = [
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(told).rstrip()

    return [line(heads), *map(line, rows)]
