"""The reference page says what the code does."""

from __future__ import annotations

from pathlib import Path

from casper_ray.sim.bank.crimes.all import PATTERNS
from casper_ray.sim.bank.crimes.page import typologies_page

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "bank-typologies.md"


def test_the_page_is_as_the_code_has_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == typologies_page(), (
        "write it again: python -m casper_ray.sim.bank.crimes.page > docs/reference/bank-typologies.md"
    )


def test_every_typology_stands_on_the_page() -> None:
    page = typologies_page()
    for pattern in PATTERNS:
        assert f"| `{pattern.name}` |" in page
        assert pattern.source in " ".join(page.split())
        assert pattern.twin_name in page
