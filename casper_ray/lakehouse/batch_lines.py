"""`batches` drawn for people: where each batch's rows went, table by table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan

_COUNTS = ("rows_in", "rows_out", "rows_duplicate", "rows_late", "rows_dropped", "rows_quarantined")
_HEADS = ("in", "out", "duplicate", "late", "dropped", "quarantined")


def batch_lines(catalog: Catalog, rows: int) -> Iterator[str]:
    """The accounts of the newest `rows` batches, oldest first, and the sums over all batches."""
    batches = scan(catalog.table(catalog.pipeline_schema, "batches")).sort("batch").collect()
    heads = "".join(f"{head:>12}" for head in _HEADS)
    yield f"{'batch':>6}  {'simulated':16}  {'table':32}{heads}  adds up"
    for batch in batches.tail(rows).iter_rows(named=True):
        when = f"{batch['sim_instant']:%Y-%m-%d %H:%M}" if batch["sim_instant"] else ""
        for number, account in enumerate(batch["accounts"]):
            first = f"{batch['batch']:>6}  {when:16}" if number == 0 else f"{'':24}"
            yield f"{first}  {account['table']:32}{_figures(account)}"
    yield ""
    yield from _totals(batches)


def _totals(batches: pl.DataFrame) -> Iterator[str]:
    """A refresh tells of rows that were told of before, so it does not count here."""
    new = batches.filter(pl.col("replaces").list.len() == 0)
    accounts = new.select(pl.col("accounts").explode(empty_as_null=False)).unnest("accounts")
    sums = accounts.group_by("table", maintain_order=True).agg(pl.col(_COUNTS).sum())
    label = f"all {new.height:,} batches of new files"
    for number, account in enumerate(sums.iter_rows(named=True)):
        yield f"{label if number == 0 else '':24}  {account['table']:32}{_figures(account)}"


def _figures(account: dict[str, Any]) -> str:
    went = sum(account[name] for name in _COUNTS[1:])
    figures = "".join(f"{account[name]:>12,}" for name in _COUNTS)
    return f"{figures}  {'yes' if went == account['rows_in'] else 'NO'}"
