"""When a credit line is looked at: at each month's end, and when more of it is used than a threshold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import polars as pl

from casper_ray.agents.bank.credit_lines import CreditStore
from casper_ray.agents.case import CASES
from casper_ray.lakehouse.read import KNOWN

CREDIT_CASE: Final = "credit_review"
STEPS: Final = (0.25, 0.5, 0.75)
"""Shares of the limit: whoever owes more than one of them for the first time on a day is looked at."""
_ENDS: Final = pl.Schema({"at": pl.Datetime("us", "UTC"), "source_batch": pl.Int64(), "month": pl.String()})


def cases(store: CreditStore, after: int, to: int) -> pl.DataFrame:
    """A case for each crossing and each line's month's end that batches (after, to] brought."""
    found = pl.concat([_crossings(store, after, to), _month_ends(store, after, to)])
    return found.sort("at", "case_id")


def _crossings(store: CreditStore, after: int, to: int) -> pl.DataFrame:
    """As of the transaction that took the line over a step; one per line, step and day."""
    moved = store.flows.filter(pl.col("source_batch").is_between(after + 1, to))["account_token"].unique()
    flows = store.flows.filter(pl.col("account_token").is_in(moved.implode()))
    limits = store.customers_at(flows.select("account_token", pl.col(KNOWN).alias("at")))
    limit = limits["credit_limit"].to_physical().cast(pl.Float64)
    used = flows.with_columns((pl.col("owed") / limit).alias("used"))
    step = pl.sum_horizontal((pl.col("used") >= bound).cast(pl.Int64) for bound in STEPS)
    stepped = used.with_columns(step.alias("step"), pl.col(KNOWN).dt.date().alias("day"))
    before = pl.col("step").shift(1).over("account_token").fill_null(0)
    over = stepped.filter(pl.col("step") > before)
    first = over.unique(("account_token", "day", "step"), keep="first", maintain_order=True)
    brought = first.filter(pl.col("source_batch").is_between(after + 1, to))
    return _cases(brought.rename({KNOWN: "at"}), "transaction_id")


def _month_ends(store: CreditStore, after: int, to: int) -> pl.DataFrame:
    """As of the first instant of a month, of every line there is then; brought by the batch that reached it.

    Rules: what was landed by hand says no simulated time, and so brings no month's end.
    """
    ends = _ends(store, after, to)
    rows = ends.join(store.lines(), how="cross")
    known = store.customers_at(rows.select("account_token", "at"))
    has_line = (known["credit_limit"] > 0).fill_null(False)
    return _cases(rows.filter(has_line), "month")


def _ends(store: CreditStore, after: int, to: int) -> pl.DataFrame:
    """at, source_batch, month (the one that ended): ends of months that the batches reached."""
    began = store.flows[KNOWN].min()
    found, last = [], began if isinstance(began, datetime) else None
    for batch, reached in store.instants().drop_nulls("sim_instant").iter_rows():
        if last is not None and batch > after and batch <= to:
            found += [(end, batch, f"{before:%Y-%m}") for before, end in months_ended(last, reached)]
        last = reached if last is None else max(last, reached)
    return pl.DataFrame(found, schema=_ENDS, orient="row")


def months_ended(after: datetime, to: datetime) -> list[tuple[datetime, datetime]]:
    """Months that ended in (after, to]: their beginnings and the next ones'."""
    found, begin = [], datetime(after.year, after.month, 1, tzinfo=UTC)
    while (end := datetime(begin.year + begin.month // 12, begin.month % 12 + 1, 1, tzinfo=UTC)) <= to:
        if end > after:
            found.append((begin, end))
        begin = end
    return found


def _cases(rows: pl.DataFrame, occasion: str) -> pl.DataFrame:
    return rows.select(
        pl.format("credit_review:{}@{}", "account_token", occasion).alias("case_id"),
        pl.lit(CREDIT_CASE).alias("kind"),
        "at",
        pl.col("account_token").alias("subject"),
        pl.lit(None, pl.String).alias("text"),
        "source_batch",
    ).cast(CASES)
