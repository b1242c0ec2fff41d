"""The picture of the dashboard: its panels' own expressions over real scrapes, drawn by Vega-Lite, not by Grafana.

    python docs/images/dashboard.py URL KEY_FILE SECONDS OUT.png

Scrapes a running door every second. The file holds a key that may see metrics.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import altair as alt
import httpx2
import polars as pl
from promql import Query, Scrape, scrape_of

DASHBOARD = Path(__file__).parents[2] / "configs" / "grafana" / "casper-serve.json"
_WINDOW_S = 10.0
_COLUMN, _ROW = 62, 24
_UNITS = {
    "percentunit": (".1%", "of all"),
    "bytes": (".3s", "bytes"),
    "currencyUSD": ("$.2f", "US dollars"),
    "s": (".3~s", "s"),
    "reqps": (".3~s", "a second"),
    "short": (".3~s", ""),
}
"""Grafana's units: how a number is written, and in what."""


def scrapes(url: str, key: str, seconds: float) -> list[Scrape]:
    """What a door says, once a second."""
    found, began = [], time.monotonic()
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
        while (at := time.monotonic() - began) < seconds:
            try:
                found.append(scrape_of(at, client.get("/metrics").raise_for_status().text))
            except httpx2.HTTPError as error:  # a door that is being replaced: a gap, as in Prometheus
                print(f"no scrape at {at:.0f} s: {type(error).__name__}", file=sys.stderr)
            time.sleep(max(0.0, 1.0 - (time.monotonic() - began - at)))
    return found


def series(panel: Mapping[str, Any], seen: Sequence[Scrape]) -> pl.DataFrame:
    """One row per legend and instant."""
    rows = []
    for target in panel["targets"]:
        query = Query(target["expr"], _WINDOW_S)
        for last in range(2, len(seen)):
            for labels, value in query.at(seen[: last + 1]).items():
                rows.append((seen[last].at, _legend(target["legendFormat"], labels), value))
    return pl.DataFrame(
        rows, schema={"s": pl.Float64, "series": pl.String, "value": pl.Float64}, orient="row"
    )


def _legend(form: str, labels: Sequence[tuple[str, str]]) -> str:
    for name, value in labels:
        form = form.replace("{{" + name + "}}", value)
    return form or "value"


def drawn(panel: Mapping[str, Any], seen: Sequence[Scrape]) -> alt.Chart:
    """A panel as its type, unit and stacking say."""
    found, place = series(panel, seen), panel["gridPos"]
    size = {"width": place["w"] * _COLUMN - 110, "height": place["h"] * _ROW - 60}
    form, unit = _UNITS[panel["fieldConfig"]["defaults"]["unit"]]
    if panel["type"] == "stat":
        return _number(found, panel["title"], form, unit).properties(**size)
    if not found.height:
        empty = alt.Chart(pl.DataFrame({"value": ["no data"]}), title=panel["title"])
        return empty.mark_text(fontSize=14, color="#888").encode(text="value:N").properties(**size)
    stacked = panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    base = alt.Chart(found).encode(
        x=alt.X(
            "s:Q",
            title=None,
            scale=alt.Scale(domain=[0, seen[-1].at], nice=False),
            axis=alt.Axis(format="d", tickCount=6, labelExpr="datum.label + ' s'"),
        ),
        y=alt.Y("value:Q", title=unit or None, stack=stacked, axis=_axis(form, whole=not unit)),
        color=alt.Color(
            "series:N", title=None, legend=alt.Legend(orient="bottom", columns=2, labelLimit=250)
        ),
    )
    shape = base.mark_area(opacity=0.75) if stacked else base.mark_line(strokeWidth=1.5)
    return shape.properties(**size, title=panel["title"])


def _axis(form: str, *, whole: bool) -> alt.Axis:
    """whole: of counts, which have no halves."""
    return alt.Axis(format=form, tickCount=4, tickMinStep=1) if whole else alt.Axis(format=form, tickCount=4)


def _number(found: pl.DataFrame, title: str, form: str, unit: str) -> alt.Chart:
    last = found.tail(1) if found.height else pl.DataFrame({"value": [0.0]})
    told = alt.Chart(last, title=alt.Title(title, subtitle=unit))
    return told.mark_text(fontSize=30, color="#2a6f4e").encode(text=alt.Text("value:Q", format=form))


def page(dashboard: Mapping[str, Any], seen: Sequence[Scrape]) -> alt.VConcatChart:
    """Rows of panels, as the dashboard places them."""
    return alt.vconcat(*_rows(dashboard["panels"], seen)).properties(
        title=f"{dashboard['title']}: {seen[-1].at:.0f} s of scrapes, rates over {_WINDOW_S:.0f} s"
    )


def _rows(panels: Sequence[Mapping[str, Any]], seen: Sequence[Scrape]) -> Iterator[alt.HConcatChart]:
    for _, row in groupby(panels, key=lambda panel: panel["gridPos"]["y"]):
        yield alt.hconcat(*(drawn(panel, seen) for panel in row)).resolve_scale(color="independent")


def main() -> None:
    url, key_file, seconds, out = sys.argv[1:]
    alt.data_transformers.disable_max_rows()
    seen = scrapes(url, Path(key_file).read_text().strip(), float(seconds))
    page(json.loads(DASHBOARD.read_text()), seen).resolve_scale(color="independent").save(
        out, scale_factor=1.0
    )


if __name__ == "__main__":
    main()
