from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from casper_ray.console.frame import Frame
from casper_ray.console.progress import Progress, Words
from casper_ray.console.testing import progress
from casper_ray.console.trail import Trail

TITLE = "casper kitchen, seed 42, speed 3600, lake /a/rather/long/path/to/a/lake/.casper/lake"


def rendered(snapshot: Progress | None, width: int, height: int, encoding: str = "utf-8") -> str:
    """What a terminal of that size and encoding shows, without colours."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    console = Console(
        file=file, width=width, height=height, force_terminal=True, no_color=True, color_system=None
    )
    trail = Trail()
    view = None if snapshot is None else trail.after(snapshot)
    note = snapshot.note if snapshot else ""
    console.print(Frame(title=TITLE, view=view, wall_s=30.0, note=note), end="")
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("tables", [0, 1, 8, 60])
@pytest.mark.parametrize("places", [0, 4, 88])
@pytest.mark.parametrize(
    ("width", "height"), [(80, 24), (100, 32), (150, 30), (40, 12), (20, 5), (5, 2), (1, 1)]
)
def test_view_fits_its_terminal(width: int, height: int, places: int, tables: int) -> None:
    lines = rendered(progress(table_count=tables, place_count=places), width, height).split("\n")
    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width


def test_80x24_shows_all_of_the_kitchen() -> None:
    text = rendered(progress(note="resumed at batch 12"), 80, 24)
    for piece in (
        "live",
        "Mon 11 Mar 2024  14:00   day 70",
        "3,598×",
        "asked 3,600×",
        "62%  to day 90",
        "12,346",
        "212 ms",
        "483 ms",
        "lakeflow.all_events",
        "lakeflow.gold_location_peak_hours",
        "Silicon Valley",
        "$391,710.99",
        "› resumed at batch 12",  # noqa: RUF001
    ):
        assert piece in text


def test_tables_give_way_to_places_and_are_counted() -> None:
    text = rendered(progress(), 80, 18)
    assert "more tables" in text
    assert "Chicago" in text


def test_another_business_has_its_own_words() -> None:
    bank = Words(
        counted="transactions", places="branches", amount="amount (EUR)", currency_sign="", period="day"
    )
    text = rendered(progress(words=bank, place_count=30), 100, 32)
    for piece in (
        "branches",
        "transactions",
        "amount (EUR)",
        "  391,710.99",
        "transactions a day",
        "more branches",
    ):
        assert piece in text
    for piece in ("locations", "orders", "revenue", "$"):
        assert piece not in text


def test_terminal_without_unicode_gets_ascii() -> None:
    text = rendered(progress(note="São Paulo opened"), 100, 32, encoding="ascii")
    assert "###" in text
    assert "S?o Paulo opened" in text


def test_note_cannot_write_control_sequences() -> None:
    assert "\x1b" not in rendered(progress(note="bad \x1b[2J line"), 80, 24)


def test_first_moment_has_a_title_and_a_phase() -> None:
    lines = rendered(None, 80, 24).split("\n")
    assert lines[0].startswith("casper kitchen")
    assert "starting" in lines[0]


def test_run_without_goal_says_how_to_stop() -> None:
    assert "no end set: Ctrl-C stops" in rendered(progress(fraction=None), 100, 32)


def test_unknown_speed_and_max_are_told() -> None:
    assert "asked max" in rendered(progress(speed_asked=None, speed_reached=None), 100, 32)


def test_no_line_ends_in_blanks() -> None:
    lines = rendered(progress(note="resumed"), 100, 32).split("\n")
    assert [line for line in lines if line != line.rstrip()] == []
