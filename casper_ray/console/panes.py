"""The lists of the live view: tables and locations, each within the lines it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from rich.text import Text

from casper_ray.console import figures
from casper_ray.console.cells import fit, sparkline, styled
from casper_ray.console.glyphs import Glyphs
from casper_ray.console.header import CALM
from casper_ray.console.progress import LocationState, TableState
from casper_ray.console.trail import View

_BRONZE, _SILVER, _GOLD = "#b87333", "#a0a8b0", "#d4a72c"
_ROWS_WIDTH, _CHANGE_WIDTH, _VERSION_WIDTH = 13, 11, 9
_NAME_AT_MOST: Final = 44
_ORDERS_WIDTH, _REVENUE_WIDTH, _PLACE_WIDTH = 9, 15, 16

Item = TypeVar("Item")


def table_lines(view: View, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """A heading and one line per table; what does not fit is counted in the last line."""
    tables = view.progress.tables
    name_width = min(width - 2 - _ROWS_WIDTH - _CHANGE_WIDTH - _VERSION_WIDTH, _NAME_AT_MOST)
    heading = _columns("tables", "rows", "change", "version", name_width + 2, glyphs)
    shown, rest = _that_fit(tables, height - 1)
    lines = [_table_line(table, view.changes.get(table.name), name_width, glyphs) for table in shown]
    return [styled(heading, "dim"), *lines, *_rest(rest, "tables", glyphs)]


def location_lines(view: View, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """A heading and one line per location, with its recent hours on a scale shared by all."""
    locations = view.progress.locations
    spark_width = max(width - _PLACE_WIDTH - _ORDERS_WIDTH - _REVENUE_WIDTH - 3, 0)
    hours = min(max((len(place.recent) for place in locations), default=0), spark_width)
    heading = fit("locations", _PLACE_WIDTH, glyphs) + fit("orders", _ORDERS_WIDTH, glyphs, "right")
    heading += fit("revenue", _REVENUE_WIDTH, glyphs, "right")
    heading += "   " + fit(_spark_heading(hours, spark_width), spark_width, glyphs)
    highest = max((orders for place in locations for orders in place.recent[-spark_width:]), default=0)
    shown, rest = _that_fit(locations, height - 1)
    lines = [_location_line(place, highest, spark_width, glyphs) for place in shown]
    return [styled(heading, "dim"), *lines, *_rest(rest, "locations", glyphs)]


def _table_line(table: TableState, change: int | None, name_width: int, glyphs: Glyphs) -> Text:
    schema, dot, name = table.name.rpartition(".")
    if len(table.name) > name_width:
        schema = dot = ""
    text = Text.assemble((f"{glyphs.layer} ", _layer_style(name)), (f"{schema}{dot}", "dim"))
    text.append(fit(name, name_width - len(schema) - len(dot), glyphs))
    text.append(fit(f"{table.rows:,}", _ROWS_WIDTH, glyphs, "right"), "bold")
    text.append(fit(f"{change:+,}" if change else "", _CHANGE_WIDTH, glyphs, "right"), CALM)
    text.append(fit(str(table.version), _VERSION_WIDTH, glyphs, "right"), "dim")
    return text


def _location_line(place: LocationState, highest: int, spark_width: int, glyphs: Glyphs) -> Text:
    return Text.assemble(
        fit(place.name, _PLACE_WIDTH, glyphs),
        (fit(f"{place.orders:,}", _ORDERS_WIDTH, glyphs, "right"), "bold"),
        fit(figures.money(place.revenue_cents), _REVENUE_WIDTH, glyphs, "right"),
        "   ",
        (sparkline(place.recent, highest, spark_width, glyphs), CALM),
    )


def _spark_heading(hours: int, width: int) -> str:
    if not hours:
        return ""
    return next((t for t in (f"orders an hour, last {hours} h", f"last {hours} h") if len(t) <= width), "")


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
