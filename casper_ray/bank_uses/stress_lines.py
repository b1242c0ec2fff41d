"""A stress test as lines for a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from casper_ray.bank_uses.columns import in_columns
from casper_ray.bank_uses.stress import StressResult, totals, turns
from casper_ray.console import figures
from casper_ray.domain.bank import BASE_CURRENCY

_DAYS = (
    ("net", "net flow"),
    ("hqla", "HQLA"),
    ("lcr", "LCR"),
    ("cash_out", "cash out"),
    ("purchases_amount", "purchases"),
    ("pay_amount", "pay"),
    ("declined", "declined"),
    ("chargebacks", "chargebacks"),
)
_TOTALS = (
    ("net", "net flow"),
    ("lcr_lowest", ""),
    ("cash_out", "cash out"),
    ("purchases_amount", "purchases"),
    ("pay", "salaries"),
    ("pay_amount", "pay"),
    ("declined", "declined transactions"),
    ("declined_amount", "declined"),
    ("crimes_amount", "went through by crimes"),
    ("chargebacks_amount", "charged back"),
    ("chargeback_loss", "the bank's loss of it"),
)


def stress_lines(result: StressResult) -> list[str]:
    """The days that matter and why, each with the baseline's line above the scenario's; the sums of all days."""
    scenario = result.world.scenario
    return [
        f"{scenario.name} beside the baseline: {scenario.customers:,} customers, {result.world.days} days, "
        f"seed {result.world.seed}; amounts in {BASE_CURRENCY}",
        *(f"  day {spell.first} to {spell.last}: {spell.name}" for spell in result.spells),
        "",
        *(f"  day {turn.number}: {turn.why}" for turn in turns(result)),
        "",
        *in_columns(("day", "date", "", *(head for _, head in _DAYS)), _turn_rows(result), texts=3),
        "",
        *in_columns(("over all days", "baseline", scenario.name, "change"), _total_rows(result)),
    ]


def _turn_rows(result: StressResult) -> list[tuple[str, ...]]:
    rows = []
    for turn in turns(result):
        base, under = (days.row(turn.number, named=True) for days in (result.baseline, result.stressed))
        rows.append((f"{turn.number}", f"{turn.day}", "baseline", *(_shown(base[name]) for name, _ in _DAYS)))
        rows.append(("", "", "stressed", *(_shown(under[name]) for name, _ in _DAYS)))
    return rows


def _total_rows(result: StressResult) -> list[tuple[str, ...]]:
    base, under = (totals(days, result.since) for days in (result.baseline, result.stressed))
    heads = dict(_TOTALS) | {"lcr_lowest": f"lowest LCR since day {result.since}"}
    return [
        (heads[name], _shown(base[name]), _shown(under[name]), _change(base[name], under[name]))
        for name in heads
    ]


def _shown(value: Any) -> str:
    if value is None:
        return figures.NONE
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,.0f}" if isinstance(value, Decimal) else f"{value:,}"


def _change(before: Any, after: Any) -> str:
    """In percent of what was; nothing where that says nothing."""
    if not before or after is None or before < 0:
        return figures.NONE
    return f"{(float(after) / float(before) - 1) * 100:+.1f} %"
