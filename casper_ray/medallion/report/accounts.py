"""Where rows went, over all batches and table by table. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import polars as pl

from casper_ray.medallion.report.evidence import ACCOUNT

_OFF = pl.col(ACCOUNT[0]) - pl.sum_horizontal(ACCOUNT[1:])
"""Rows that an account does not explain; below zero: rows that came from nowhere."""


class Totals(NamedTuple):
    """All batches together. refreshes: batches that read rows again. off_batches: those that do not add up."""

    batches: int
    refreshes: int
    rows_in: int
    rows_out: int
    duplicate: int
    late: int
    dropped: int
    quarantined: int
    off_batches: int
    sim_from: datetime | None
    sim_to: datetime | None


class TableAccount(NamedTuple):
    """One table over all its batches.

    table_rows: its rows after the last batch; None for what is not stored: a view, the volume. off_batches, off_rows:
    how many batches do not add up, and by how many rows in all.
    """

    table: str
    batches: int
    rows_in: int
    rows_out: int
    duplicate: int
    late: int
    dropped: int
    quarantined: int
    table_rows: int | None
    off_batches: int
    off_rows: int


def totals(batches: pl.DataFrame) -> Totals:
    """The account of everything that was read. Rules: a count that is not there is zero."""
    row = batches.with_columns(pl.col(ACCOUNT).fill_null(0)).select(
        pl.len(),
        (pl.col("replaces").list.len() > 0).sum(),
        *(pl.col(name).sum() for name in ACCOUNT),
        (_OFF != 0).sum().alias("off_batches"),
        pl.col("sim_instant").min().alias("sim_from"),
        pl.col("sim_instant").max().alias("sim_to"),
    )
    return Totals(*row.row(0))


def table_accounts(batches: pl.DataFrame) -> list[TableAccount]:
    """An account a table, in the order in which the pipeline makes them; none where no batch has accounts."""
    accounts = (
        batches.sort("batch")
        .select("batch", pl.col("accounts"))
        .explode("accounts", empty_as_null=False)
        .unnest("accounts")
        .filter(pl.col("table").is_not_null())
        .with_columns(pl.col(ACCOUNT).fill_null(0))
    )
    rows = accounts.group_by("table", maintain_order=True).agg(
        pl.len().alias("batches"),
        *(pl.col(name).sum() for name in ACCOUNT),
        pl.col("table_rows").last(),
        (_OFF != 0).sum().alias("off_batches"),
        _OFF.abs().sum().alias("off_rows"),
    )
    return [TableAccount(*row) for row in rows.iter_rows()]
