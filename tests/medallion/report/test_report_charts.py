"""Charts are markup that stands in a page, with the page's colours."""

from __future__ import annotations

from xml.etree import ElementTree

import polars as pl
import pytest

from casper_ray.medallion.report.charts import panel, sparkline


def outline(*heights: float | None) -> pl.DataFrame:
    steps = [(x, y) for n, y in enumerate(heights, 1) for x in (n - 0.5, n + 0.5)]
    return pl.DataFrame(steps, schema={"x": pl.Float64, "y": pl.Float64}, orient="row")


def texts(svg: str) -> list[str]:
    return [text for text in ElementTree.fromstring(svg).itertext() if text.strip()]


def paths(svg: str) -> list[str]:
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")
    return [path.get("d", "") for path in found if path.get("stroke", "").startswith("var(")]


@pytest.mark.parametrize("heights", [(0.5,), (None,), (0.0, 0.0), (0.1, None, 0.3)])
def test_any_outline_can_be_drawn(heights: tuple[float | None, ...]) -> None:
    drawn = sparkline(outline(*heights), [], label="a share")
    assert ElementTree.fromstring(drawn).get("aria-label") == "a share"
    assert texts(drawn) == []


def test_a_gap_is_a_gap() -> None:
    (whole,) = paths(sparkline(outline(0.1, 0.2, 0.3), [], label=""))
    (torn,) = paths(sparkline(outline(0.1, None, 0.3), [], label=""))
    assert (whole.count("M"), torn.count("M")) == (1, 2)


def test_a_stop_is_a_line_in_the_colour_of_what_is_bad() -> None:
    assert "var(--bad)" not in sparkline(outline(0.1, 0.2), [], label="")
    assert sparkline(outline(0.1, 0.2), [1, 2], label="").count("var(--bad)") == 2


def test_a_panel_has_shares_or_counts_at_its_side() -> None:
    assert "40%" in texts(panel(outline(0.2, 0.5), colour="warn", share=True, label=""))
    told = texts(panel(outline(2_000_000, 4_000), colour="ink", share=False, label=""))
    assert {"0", "100", "10k", "1M"} <= set(told)


@pytest.mark.parametrize("rows", [0.0, 1.0, 9.0, 10.0, 99.5, 12_345.0, 1e12])
def test_counts_of_any_size_have_few_ticks(rows: float) -> None:
    side = [text for text in texts(panel(outline(rows), colour="ink", share=False, label="")) if text != "1"]
    assert len(side) <= 6


@pytest.mark.parametrize("batches", range(1, 12))
def test_batches_are_marked_and_none_twice(batches: int) -> None:
    told = texts(panel(outline(*[0.5] * batches), colour="warn", share=True, label=""))
    numbers = [text for text in told if "%" not in text]
    assert set(numbers) <= {str(number) for number in range(1, batches + 1)}
    assert numbers
    assert len(numbers) == len(set(numbers))


def test_a_label_is_text() -> None:
    assert "<b>" not in sparkline(outline(0.1), [], label='"<b>')
