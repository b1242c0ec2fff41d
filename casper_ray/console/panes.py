"""The lists of the live view: tables and places, each within the lines it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from rich.text import Text

from casper_ray.console import figures
from casper_ray.console.cells import fit, sparkline, styled
from casper_ray.console.glyphs import Glyphs
from casper_ray.console.header import CALM
from casper_ray.console.progress import PlaceState, TableState, Words
from casper_ray.console.trail import View

_BRONZE, _SILVER, _GOLD = "#b87333", "#a0a8b0", "#d4a72c"
_ROWS_WIDTH, _CHANGE_WIDTH, _VERSION_WIDTH = 13, 11, 9
_NAME_AT_MOST: Final = 46
_COUNTED_WIDTH, _AMOUNT_WIDTH, _PLACE_WIDTH = 9, 15, 20

Item = TypeVar("Item")


def table_lines(view: View, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """A heading and one line per table; what does not fit is counted in the last line."""
    tables = view.progress.tables
    name_width = min(width - 2 - _ROWS_WIDTH - _CHANGE_WIDTH - _VERSION_WIDTH, _NAME_AT_MOST)
    heading = _columns("tables", "rows", "change", "version", name_width + 2, glyphs)
    shown, rest = _that_fit(tables, height - 1)
    whole = all(len(table.name) <= name_width for table in tables)
    lines = [_table_line(table, view.changes.get(table.name), name_width, whole, glyphs) for table in shown]
    return [styled(heading, "dim"), *lines, *_rest(rest, "tables", glyphs)]


def place_lines(view: View, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """A heading and one line per place, with its recent periods on a scale shared by all."""
    places, words = view.progress.places, view.progress.words
    counted_width = max(_COUNTED_WIDTH, len(words.counted) + 1)
    longest = max((len(place.name) for place in places), default=0)
    place_width = max(_PLACE_WIDTH, min(longest + 2, width // 4))
    spark_width = max(width - place_width - counted_width - _AMOUNT_WIDTH - 3, 0)
    periods = min(max((len(place.recent) for place in places), default=0), spark_width)
    heading = fit(words.places, place_width, glyphs) + fit(words.counted, counted_width, glyphs, "right")
    heading += fit(words.amount, _AMOUNT_WIDTH, glyphs, "right")
    heading += "   " + fit(_spark_heading(words, periods, spark_width), spark_width, glyphs)
    highest = max((counted for place in places for counted in place.recent[-spark_width:]), default=0)
    shown, rest = _that_fit(places, height - 1)
    lines = [
        _place_line(place, words, (place_width, counted_width, spark_width), highest, glyphs)
        for place in shown
    ]
    return [styled(heading, "dim"), *lines, *_rest(rest, words.places, glyphs)]


def _table_line(table: TableState, change: int | None, name_width: int, whole: bool, glyphs: Glyphs) -> Text:
    """whole: with its schema; where one name does not fit so, all are shown without."""
    schema, dot, name = table.name.rpartition(".")
    if not whole:
        schema = dot = ""
    text = Text.assemble((f"{glyphs.layer} ", _layer_style(name)), (f"{schema}{dot}", "dim"))
    text.append(fit(name, name_width - len(schema) - len(dot), glyphs))
    text.append(fit(f"{table.rows:,}", _ROWS_WIDTH, glyphs, "right"), "bold")
    text.append(fit(f"{change:+,}" if change else "", _CHANGE_WIDTH, glyphs, "right"), CALM)
    text.append(fit(str(table.version), _VERSION_WIDTH, glyphs, "right"), "dim")
    return text


def _place_line(
    place: PlaceState, words: Words, widths: tuple[int, int, int], highest: int, glyphs: Glyphs
) -> Text:
    place_width, counted_width, spark_width = widths
    amount = figures.money(place.amount_cents, words.currency_sign)
    return Text.assemble(
        fit(place.name, place_width, glyphs),
        (fit(f"{place.counted:,}", counted_width, glyphs, "right"), "bold"),
        fit(amount, _AMOUNT_WIDTH, glyphs, "right"),
        "   ",
        (sparkline(place.recent, highest, spark_width, glyphs), CALM),
    )


def _spark_heading(words: Words, periods: int, width: int) -> str:
    if not periods:
        return ""
    last = f"last {periods} {words.period[0]}"
    article = "an" if words.period == "hour" else "a"
    long = f"{words.counted} {article} {words.period}, {last}"
    return next((text for text in (long, last) if len(text) <= width), "")


def _columns(first: str, rows: str, change: str, version: str, width: int, glyphs: Glyphs) -> str:
    return (
        fit(first, width, glyphs)
        + fit(rows, _ROWS_WIDTH, glyphs, "right")
        + fit(change, _CHANGE_WIDTH, glyphs, "right")
        + fit(version, _VERSION_WIDTH, glyphs, "right")
    )


def _that_fit(items: Sequence[Item], height: int) -> tuple[Sequence[Item], int]:
    """The first items for `height` lines, and how many are left over; a line is kept to say so."""
    if len(items) <= height:
        return items, 0
    shown = items[: max(height - 1, 0)]
    return shown, len(items) - len(shown)


def _rest(rest: int, what: str, glyphs: Glyphs) -> list[Text]:
    return [styled(f"{glyphs.ellipsis} {rest} more {what}", "dim")] if rest else []


def _layer_style(name: str) -> str:
    """The colour of the medallion's layer, as the table's name tells it."""
    if name.startswith("gold_"):
        return _GOLD
    if name.startswith("silver_"):
        return _SILVER
    return _BRONZE if name.endswith(("_events", "_cdc")) else "dim"
