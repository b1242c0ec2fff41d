"""Charts as SVG that stands in a page: no script, no fonts of its own, nothing fetched.

Colours are the page's CSS variables, so that a chart follows the page into the dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt
import polars as pl
import vl_convert
from markupsafe import Markup

_SPARK = (150, 26)
_PANEL = (176, 92)
_FEW_BATCHES = 5
_INK, _GRID, _STOP = "var(--muted)", "var(--line)", "var(--bad)"


def sparkline(points: pl.DataFrame, stopped_at: Sequence[int], *, label: str) -> Markup:
    """A step chart without axes. stopped_at: the batches at which a line marks a stop.

    points: as `trend.points` gives them. label: what a screen reader says.
    """
    area = _area(points, "var(--warn)").encode(
        x=_x(points, axis=None),
        y=alt.Y("y:Q", axis=None, stack=None, scale=alt.Scale(domainMin=0, nice=False)),
    )
    marks = alt.Chart(pl.DataFrame({"x": stopped_at}, schema={"x": pl.Int64}))
    stops = marks.mark_rule(color=_STOP, strokeWidth=1.5, aria=False).encode(x="x:Q")
    layers = [area, stops] if stopped_at else [area]
    return _svg(alt.layer(*layers, width=_SPARK[0], height=_SPARK[1]), label)


def panel(points: pl.DataFrame, *, colour: str, share: bool, label: str) -> Markup:
    """A step chart over batches, with axes. share: y is a share of rows rather than a count of them.

    A count is on a logarithmic scale: batches that catch up are a thousand times as large as live ones.
    """
    shares = alt.Axis(format="~%", tickCount=3)
    counts = alt.Axis(labelExpr="format(datum.value, '~s')", values=_powers_of_ten(points))
    scale = alt.Scale(domainMin=0) if share else alt.Scale(type="symlog", domainMin=0)
    chart = _area(points, f"var(--{colour})").encode(
        x=_x(points, axis=_batch_axis(points)),
        y=alt.Y("y:Q", title=None, stack=None, axis=shares if share else counts, scale=scale),
    )
    return _svg(chart.properties(width=_PANEL[0], height=_PANEL[1]), label)


def _batch_axis(points: pl.DataFrame) -> alt.Axis:
    """Whole batches only: Vega would mark halves of a few, and write them as whole."""
    first, last = _ends(points)
    few = (
        list(range(math.ceil(first), math.floor(last) + 1)) if last - first <= _FEW_BATCHES else alt.Undefined
    )
    return alt.Axis(format=",d", tickCount=4, values=few)


def _powers_of_ten(points: pl.DataFrame) -> list[float]:
    """Zero and at most three powers of ten up to the highest y."""
    highest = len(str(int(max(points["y"].drop_nulls().to_list(), default=0)))) - 1
    return [0, *(10**power for power in range(highest, 0, min(-1, -highest // 3)))]


def _x(points: pl.DataFrame, axis: alt.Axis | None) -> alt.X:
    return alt.X("x:Q", title=None, axis=axis, scale=alt.Scale(domain=_ends(points), nice=False))


def _ends(points: pl.DataFrame) -> list[float]:
    edges: list[float] = points["x"].to_list()
    return [edges[0], edges[-1]]


def _area(points: pl.DataFrame, colour: str) -> alt.Chart:
    line = alt.MarkConfig(color=colour, strokeWidth=1.2)
    area: alt.Chart = alt.Chart(points).mark_area(color=colour, fillOpacity=0.22, line=line, aria=False)
    return area


def _svg(chart: alt.Chart | alt.LayerChart | alt.FacetChart, label: str) -> Markup:
    """The chart drawn by Vega. Only numbers go into it, so what comes out is markup that can be trusted."""
    styled = (
        chart.configure(font="inherit", background="transparent", padding=2)
        .configure_view(stroke=None)
        .configure_axisX(grid=False)
        .configure_axisY(domain=False, ticks=False)
        .configure_axis(
            labelColor=_INK,
            gridColor=_GRID,
            domainColor=_GRID,
            tickColor=_GRID,
            labelFontSize=10,
            labelPadding=4,
        )
    )
    drawn = vl_convert.vegalite_to_svg(styled.to_dict(), allowed_base_urls=[])
    head = Markup('<svg role="img" aria-label="{}" ').format(label)
    return head + Markup(drawn.removeprefix("<svg "))  # noqa: S704 - drawn from numbers alone
