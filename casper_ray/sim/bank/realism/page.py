"""The figures of the reference page as Markdown, from worlds that were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from casper_ray.sim.bank.crimes.all import NAMES
from casper_ray.sim.bank.realism.baseline import Learnt
from casper_ray.sim.bank.realism.figures import FIGURES, PR_AUC, category_means, payees, payers, purchases
from casper_ray.sim.bank.realism.transactions import is_decided
from casper_ray.sim.bank.rows import Kind

_BAR = 44
_EURO_EDGES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
_DEGREES = (1, 2, 3, 5, 10, 20, 50)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_COLUMNS = 12


def measured_section(frame: pl.DataFrame, found: Mapping[str, float], learnt: Learnt) -> str:
    """The table of figures with their bounds, then what they stand for in bars."""
    rows = [
        f"| {figure.name} | {figure.low:g} | {figure.high:g} | {found[figure.name]:.3g} |"
        for figure in FIGURES
    ]
    rows.append(f"| learnt baseline, PR-AUC | {PR_AUC[0]:g} | {PR_AUC[1]:g} | {learnt.pr_auc:.3g} |")
    return "\n".join(
        [
            "| figure | from | to | measured |",
            "|---|---:|---:|---:|",
            *rows,
            "",
            _counts(frame),
            "",
            *_pictures(frame),
        ]
    )


def columns_section(aucs: Mapping[str, float]) -> str:
    """The columns that tell most, the best first."""
    rows = [f"| `{name}` | {value:.3f} |" for name, value in list(aucs.items())[:_COLUMNS]]
    return "\n".join(["| column | AUC |", "|---|---:|", *rows])


def typologies_section(frame: pl.DataFrame, learnt: Learnt) -> str:
    """One row per typology: transactions and cases of the crime and of the twin, and what the baseline finds."""
    told = frame.filter(is_decided(frame))
    lines = ["| typology | cases | transactions | in 100,000 | twin's | found in the last days |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for code, name in enumerate(NAMES, 1):
        crimes = told.filter(typology=code)
        hits, all_of = learnt.by_typology[name]
        share = 100_000 * crimes.height / told.height
        lines.append(
            f"| `{name}` | {crimes['case'].n_unique()} | {crimes.height} | {share:.1f} "
            f"| {told.filter(twin=code).height} | {hits} of {all_of} |"
        )
    return "\n".join(lines)


def _counts(frame: pl.DataFrame) -> str:
    counts = ", ".join(
        f"{frame.filter(kind=kind).height:,} {kind.name.lower().replace('_', ' ')}"
        for kind in Kind
        if kind != Kind.ENROLMENT
    )
    return f"Transactions by kind: {counts}."


def _pictures(frame: pl.DataFrame) -> list[str]:
    bought = purchases(frame)
    euros = bought["cents"].to_numpy() / 100
    edges = [0, *_EURO_EDGES, np.inf]
    names = [f"{low:g}-{high:g}" for low, high in pairwise(edges)]
    hours = np.bincount(bought["hour"].to_numpy(), minlength=24)
    days = np.bincount(bought["weekday"].to_numpy(), minlength=7)
    return [
        _bars("Purchases by amount, EUR", names, np.histogram(euros, edges)[0]),
        _bars("Purchases by hour (UTC)", [f"{hour:02d}" for hour in range(24)], hours),
        _bars("Purchases by weekday", _WEEKDAYS, days),
        _degrees("Accounts that a customer pays", payees(frame)),
        _degrees("Customers that pay an account", payers(frame)),
        _categories(frame),
    ]


def _degrees(title: str, values: pl.Series) -> str:
    edges = [*_DEGREES, np.inf]
    names = [f"{low:g}-{high - 1:g}" if high - low > 1 else f"{low:g}" for low, high in pairwise(edges)]
    return _bars(title, names, np.histogram(values.to_numpy(), edges)[0])


def _bars(title: str, names: Sequence[str], counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    """Bars of text, the longest one _BAR wide."""
    wide = max(len(name) for name in names)
    rows = [
        f"{name:>{wide}} {'█' * round(_BAR * count / counts.max())} {count / counts.sum():.1%}"
        for name, count in zip(names, counts.tolist(), strict=True)
    ]
    return "\n".join([f"{title}:", "", "```text", *rows, "```", ""])


def _categories(frame: pl.DataFrame) -> str:
    rows = [
        f"| `{code}` | {count:,} | {mean:.1f} | {median:.1f} | {asked:g} |"
        for asked, code, count, mean, median in category_means(frame)
        .select("asked_eur", "code", "purchases", "mean_eur", "median_eur")
        .iter_rows()
    ]
    head = "| category | purchases | mean EUR | median EUR | the book's mean |\n|---|---:|---:|---:|---:|"
    return "\n".join(["Purchases by category, crimes and twins apart:", "", head, *rows])
