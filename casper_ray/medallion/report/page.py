"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from typing import Any, NamedTuple

import jinja2
import polars as pl
from markupsafe import Markup

from casper_ray.console import figures
from casper_ray.medallion.report.accounts import TableAccount, Totals, table_accounts, totals
from casper_ray.medallion.report.charts import panel, sparkline
from casper_ray.medallion.report.evidence import Evidence
from casper_ray.medallion.report.figures import RuleFigures, most_failing, rule_figures, stops
from casper_ray.medallion.report.listing import last_failure
from casper_ray.medallion.report.offenders import worst_files, worst_reasons
from casper_ray.medallion.report.trend import Bins, bins_over, points, rule_points
from casper_ray.medallion.report.words import cut, sampled_rows, share

MOST_RULES = 120
"""Rules on a page; beyond, those that fail most. A chart of each takes about 20 ms and 4 KB."""

_MOST_OFFENDERS = 15
_MOST_STOPS = 20


class Source(NamedTuple):
    """What a page is about, and when it was made (wall time)."""

    lake: str
    catalog: str
    made_at: datetime


class KeyFigure(NamedTuple):
    """A count of rows at the head of the page, its share of the rows in, and its trend by batches.

    later: rows of the kind at steps of the pass that the count is not about, such as orders that were dropped.
    """

    name: str
    column: str
    rows: int
    share: str
    later: int
    chart: Markup | None


class ShownRule(NamedTuple):
    """A rule as a row of the page. chart: None for one that never failed. peak: the highest share of any bin."""

    figures: RuleFigures
    chart: Markup | None
    peak: str


def page(evidence: Evidence, source: Source) -> str:
    """The HTML of the report. Every text of the evidence is escaped."""
    bins = bins_over(evidence.log["batch"], evidence.batches["batch"])
    rules = rule_figures(evidence.log)
    total = totals(evidence.batches)
    accounts = table_accounts(evidence.batches)
    stopped = stops(evidence.log)
    return _template().render(
        source=source,
        bins=bins,
        totals=total,
        key_figures=_key_figures(evidence, total, accounts, bins),
        accounts=accounts,
        rules=_shown_rules(evidence, _kept(rules), bins),
        rule_count=len(rules),
        failing=most_failing(rules, _MOST_OFFENDERS),
        failing_count=sum(1 for rule in rules if rule.failed),
        stops=stopped[:_MOST_STOPS],
        stop_count=len(stopped),
        worst_files=worst_files(evidence.quarantine, _MOST_OFFENDERS),
        worst_reasons=worst_reasons(evidence.quarantine, _MOST_OFFENDERS),
    )


def _kept(rules: list[RuleFigures]) -> list[RuleFigures]:
    if len(rules) <= MOST_RULES:
        return rules
    worst = sorted(rules, key=lambda rule: (-rule.stops, -rule.failed))[:MOST_RULES]
    return sorted(worst, key=lambda rule: (rule.table, rule.rule))


_KEY_FIGURES = (
    ("Rows in", "rows_in", "ink"),
    ("Rows out", "rows_out", "good"),
    ("Duplicates", "rows_duplicate", "accent"),
    ("Late", "rows_late", "accent"),
    ("Dropped", "rows_dropped", "warn"),
    ("Quarantined", "rows_quarantined", "warn"),
)
_THROUGH = {"rows_in", "rows_out"}
"""What is not a loss: every step has its own."""


def _key_figures(
    evidence: Evidence, total: Totals, accounts: list[TableAccount], bins: Bins
) -> list[KeyFigure]:
    shown = []
    for name, column, colour in _KEY_FIGURES:
        kind = column if column in _THROUGH else column.removeprefix("rows_")
        rows = getattr(total, kind)
        everywhere = 0 if column in _THROUGH else sum(getattr(account, kind) for account in accounts)
        drawn = rows and column != "rows_out"
        shown.append(
            KeyFigure(
                name,
                column,
                rows,
                "" if column == "rows_in" else share(rows, total.rows_in),
                max(everywhere - rows, 0),
                _trend(evidence, name, column, bins, colour) if drawn else None,
            )
        )
    return shown


def _trend(evidence: Evidence, name: str, column: str, bins: Bins, colour: str) -> Markup:
    whole = None if column == "rows_in" else "rows_in"
    outline = points(evidence.batches, bins, part=column, whole=whole)
    told = f"{name}, by batches {bins.first} to {bins.last}"
    return panel(outline, colour=colour, share=whole is not None, label=told)


def _shown_rules(evidence: Evidence, rules: list[RuleFigures], bins: Bins) -> list[ShownRule]:
    outlines = rule_points(evidence.log, bins)
    gap = points(evidence.log.clear(), bins, part="failed", whole="passed")
    stopped: dict[tuple[str, str], set[int]] = {}
    for stop in stops(evidence.log):
        stopped.setdefault((stop.table, stop.rule), set()).add(stop.batch)
    keys = ((rule.table, rule.rule) for rule in rules)
    return [
        _shown_rule(rule, outlines.get(key, gap), sorted(stopped.get(key, ())), bins)
        for rule, key in zip(rules, keys, strict=True)
    ]


def _shown_rule(rule: RuleFigures, outline: pl.DataFrame, stopped_at: list[int], bins: Bins) -> ShownRule:
    if not rule.failed and not rule.stops:
        return ShownRule(rule, None, "")
    label = f"Share of rows that failed, by batches {bins.first} to {bins.last}"
    peak = max(outline["y"].drop_nulls().to_list(), default=0.0)
    return ShownRule(rule, sparkline(outline, stopped_at, label=label), f"{100 * peak:.2g}%" if peak else "")


def _template() -> jinja2.Template:
    here = files("casper_ray.medallion.report")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "count": figures.count,
        "cut": cut,
        "sampled_rows": sampled_rows,
        "minute": _minute,
    }
    environment.globals |= _functions(here.joinpath("page.css").read_text())
    return environment.from_string(here.joinpath("page.html.j2").read_text())


def _functions(style: str) -> dict[str, Any]:
    return {"share": share, "last_failure": last_failure, "style": Markup(style)}  # noqa: S704 - a file of ours


def _minute(instant: datetime | None) -> str:
    return figures.NONE if instant is None else f"{instant:%Y-%m-%d %H:%M}"
