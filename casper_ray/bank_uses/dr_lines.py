"""A disaster recovery test as lines for a person."""

from __future__ import annotations

from casper_ray.bank_uses.columns import in_columns
from casper_ray.bank_uses.comparison import Difference
from casper_ray.bank_uses.dr_test import DrResult
from casper_ray.console import figures

_HEADS = ("table", "compared", "rows", "rebuilt", "missing", "extra", "differing", "")


def dr_lines(result: DrResult) -> list[str]:
    """Tables, what differs, and what was lost and how long it took."""
    rebuilt = result.rebuilt
    until = figures.sim_minute(result.plan.until_us)
    return [
        f"day {result.order.day} ({result.span.first_day}) of {result.order.catalog}, rebuilt in "
        f"{result.order.target} from {rebuilt.files:,} files of the volumes ({rebuilt.size_bytes / 1e6:,.1f} MB, "
        f"{rebuilt.rows_in:,} lines), as all was on {until}",
        "",
        *in_columns(_HEADS, [_cells(table) for table in result.tables], texts=2),
        "",
        *(line for table in result.tables for line in _examples(table)),
        *in_columns(("", "simulated", "wall"), [_rpo(result), _rto(result)]),
        *_risk(result),
        "equal" if result.equal else f"different: {', '.join(t.table for t in result.tables if not t.equal)}",
    ]


def _cells(table: Difference) -> tuple[str, ...]:
    numbers = (table.rows, table.rows_rebuilt, table.missing, table.extra, table.differing)
    return (
        table.table,
        table.scope,
        *(f"{number:,}" for number in numbers),
        "equal" if table.equal else "DIFFERENT",
    )


def _examples(table: Difference) -> list[str]:
    if table.equal:
        return []
    columns = ", ".join(f"{name} ({count:,})" for name, count in table.columns.items())
    head = f"{table.table}{': differs in ' + columns if columns else ''}"
    told = []
    for example in table.examples:
        key = ", ".join(f"{name} {value}" for name, value in example["key"].items())
        where = f" in {', '.join(example['columns'])}" if example["columns"] else ""
        told.append(f"  {example['what']}{where}: {key}")
    return [head, *told, ""]


def _rpo(result: DrResult) -> tuple[str, str, str]:
    lost = "everything" if result.rpo_s is None else figures.duration(result.rpo_s)
    return "RPO, what was known and is lost", lost, figures.NONE


def _rto(result: DrResult) -> tuple[str, str, str]:
    speed = "" if result.speed is None else f" at {figures.speed(result.speed)}"
    return (
        "RTO, to bring the tables back",
        f"{figures.duration(result.rto_sim_s)}{speed}",
        figures.duration(result.rebuilt.wall_s),
    )


def _risk(result: DrResult) -> list[str]:
    if result.risk is None:
        return []
    sim_s, transactions, amount = result.risk
    return [
        f"A loss just before the last window landed would have cost {figures.duration(sim_s)} of simulated time: "
        f"{transactions:,} transactions, {amount:,.2f}.",
        "",
    ]
