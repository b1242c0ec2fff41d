"""A stress test as one HTML page that needs nothing but itself."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import polars as pl
import vl_convert
from markupsafe import Markup

from casper_ray.bank_uses.stress import StressResult, turns
from casper_ray.durable import write_file
from casper_ray.errors import ConfigError
from casper_ray.medallion.bank.assumptions import assumptions

_SIZE = (380, 170)
_INK, _GRID = "var(--muted)", "var(--line)"
_BASE, _UNDER = "var(--muted)", "var(--bad)"
_PANELS = (
    ("hqla", "Liquid assets"),
    ("lcr", "Coverage ratio (LCR's form)"),
    ("net", "Net flow, mean of 7 days"),
    ("cash_out", "Cash drawn, mean of 7 days"),
    ("purchases_amount", "Purchases, mean of 7 days"),
    ("pay_amount", "Pay that came, mean of 7 days"),
    ("declined", "Transactions declined, mean of 7 days"),
    ("chargebacks_amount", "Charged back, mean of 7 days"),
)
_AS_THEY_ARE = ("hqla", "lcr")
_WEEK = 7
_STYLE = Markup("""
:root { color-scheme: light dark; --paper: #fff; --ink: #1b2530; --muted: #57636f; --line: #d8dee4; --bad: #b3261e;
  --spell: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --paper: #11161b; --ink: #e4e9ee; --muted: #9aa7b3; --line: #303a44;
  --bad: #ff8a80; --spell: #e3b341; } }
body { margin: 0 auto; padding: 32px 40px 64px; max-width: 920px; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0; font-size: 24px; } h2 { margin: 0 0 4px; font-size: 13px; }
p { margin: 6px 0; } .note { color: var(--muted); }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(390px, 1fr)); gap: 22px 16px;
  margin-top: 20px; }
.panels + h2 { margin-top: 28px; }
svg { display: block; max-width: 100%; height: auto; }
.key { display: inline-block; width: 22px; height: 0; border-top: 2px solid; vertical-align: middle; }
.shade { display: inline-block; width: 22px; height: 10px; background: var(--spell); opacity: .18;
  vertical-align: middle; }
""")


def write_chart(result: StressResult, file: Path) -> str:
    """Write the page; a line that says so. Raises: ConfigError where it cannot be written."""
    data = str(_page(result)).encode()
    try:
        write_file(file.absolute(), data)
    except OSError as error:
        raise ConfigError(
            f"--chart {file}: cannot be written ({error.strerror})", "name a file in a folder of yours"
        ) from error
    return f"{file}: {len(data) / 1024:,.0f} KiB"


def _page(result: StressResult) -> Markup:
    scenario = result.world.scenario
    head = Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}: stress test</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head><body>'
        "<h1>Stress test: {name}</h1><p>{about}</p>"
        '<p class="note">{customers} customers, {days} days, seed {seed}; amounts in the base currency.</p>'
        '<p><span class="key" style="border-color: var(--muted); border-top-style: dashed"></span> baseline &ensp; '
        '<span class="key" style="border-color: var(--bad)"></span> {name} &ensp; '
        '<span class="shade"></span> {spells}</p><div class="panels">'
    ).format(
        name=scenario.name,
        style=_STYLE,
        about=scenario.description,
        customers=f"{scenario.customers:,}",
        days=result.world.days,
        seed=result.world.seed,
        spells="; ".join(f"{s.name}, day {s.first} to {s.last}" for s in result.spells) or "no spell",
    )
    panels = Markup("").join(
        Markup("<section><h2>{}</h2>{}</section>").format(title, _panel(result, column, title))
        for column, title in _PANELS
    )
    days = Markup("").join(
        Markup("<li>day {} ({}): {}</li>").format(turn.number, turn.day, turn.why) for turn in turns(result)
    )
    return head + panels + Markup("</div><h2>Days that matter</h2><ul>{}</ul></body></html>").format(days)


def _panel(result: StressResult, column: str, title: str) -> Markup:
    """The measure of both worlds over the days, one as drawn lines; days of a spell are shaded."""
    last = result.stressed.height - 1
    spells = pl.DataFrame(
        [(max(s.first - 0.5, 0.0), min(s.last + 0.5, float(last))) for s in result.spells if s.first <= last],
        schema={"from": pl.Float64, "to": pl.Float64},
        orient="row",
    )
    x = alt.X("number:Q", title="day", scale=alt.Scale(domain=[0, last], nice=False))
    y = alt.Y(
        "value:Q",
        title=None,
        axis=alt.Axis(format="~s", tickCount=5, minExtent=40),
        scale=alt.Scale(zero=False),
    )
    shades = (
        alt.Chart(spells)
        .mark_rect(color="var(--spell)", opacity=0.1, aria=False)
        .encode(x=alt.X("from:Q", scale=alt.Scale(domain=[0, last], nice=False)), x2="to:Q")
    )
    lines = [
        alt.Chart(_series(days, column)).mark_line(aria=False, color=colour, strokeDash=dash).encode(x=x, y=y)
        for days, colour, dash in ((result.baseline, _BASE, [4, 3]), (result.stressed, _UNDER, [1, 0]))
    ]
    layers = [shades, *lines] if spells.height else lines
    return _svg(alt.layer(*layers, width=_SIZE[0], height=_SIZE[1]), title)


def _series(days: pl.DataFrame, column: str) -> pl.DataFrame:
    value = pl.col(column).cast(pl.Float64)
    window = assumptions().liquidity.window_days
    if column == "lcr" and days.height > window:  # until its window has filled, it says little
        value = pl.when(pl.col("number") >= window - 1).then(value)
    smooth = value if column in _AS_THEY_ARE else value.rolling_mean(_WEEK, min_samples=1)
    return days.select("number", smooth.alias("value"))


def _svg(chart: alt.LayerChart | alt.FacetChart, label: str) -> Markup:
    """The chart drawn by Vega. Only numbers go into it, so what comes out is markup that can be trusted."""
    styled = (
        chart.configure(font="inherit", background="transparent", padding=2)
        .configure_view(stroke=None)
        .configure_axisX(grid=False)
        .configure_axis(
            labelColor=_INK,
            titleColor=_INK,
            gridColor=_GRID,
            domainColor=_GRID,
            tickColor=_GRID,
            labelFontSize=10,
        )
    )
    drawn = vl_convert.vegalite_to_svg(styled.to_dict(), allowed_base_urls=[])
    head = Markup('<svg role="img" aria-label="{}" ').format(label)
    return head + Markup(drawn.removeprefix("<svg "))  # noqa: S704 - drawn from numbers alone
