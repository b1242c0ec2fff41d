"""What an agent may ask of a credit line: its limit, what is owed, and how it was used and paid."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import polars as pl

from casper_ray.agents.bank.credit_lines import CreditStore
from casper_ray.agents.bank.scope import OfAccount
from casper_ray.agents.gate import MONEY
from casper_ray.agents.tools import Result, Tool
from casper_ray.lakehouse.read import KNOWN

LISTED_DAYS: Final = 30
_BURST, _MONTHS, _QUARTER, _WEEK = (timedelta(days=days) for days in (3, 60, 90, 7))


class BalanceHistory(Result):
    """A credit line as of the case. Money in EUR.

    utilisation: owed of the limit, 0 to about 1; peak_60d: its highest. spent_3d, largest_3d, purchases_3d: purchases
    of the three days before. usual_3d: what three days of the 60 before those came to in the mean. paid_60d,
    spent_60d: bills paid, purchases. charged_back_90d: disputed purchases. days_known: since the line first moved.
    days, owed_at_end, spent, paid: the newest 30 days on which something moved.
    """

    credit_limit: Decimal | None
    owed: Decimal | None
    utilisation: float | None
    peak_60d: float | None
    spent_3d: Decimal | None
    largest_3d: Decimal | None
    purchases_3d: int | None
    usual_3d: Decimal | None
    spent_60d: Decimal | None
    paid_60d: Decimal | None
    charged_back_90d: int | None
    declined_7d: int | None
    days_known: int | None
    days: list[date] | None
    owed_at_end: list[Decimal] | None
    spent: list[Decimal] | None
    paid: list[Decimal] | None


def own_line(store: CreditStore, cases: pl.DataFrame) -> pl.DataFrame:
    """account_token: the case's subject."""
    return cases.select(pl.col("subject").str.head(120).alias("account_token"))


def money(cents: pl.Expr) -> pl.Expr:
    """Whole cents as money, exactly."""
    return (cents.cast(pl.Decimal(20, 2)) / 100).cast(MONEY)


def balance_histories(store: CreditStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`BalanceHistory` of each asked card account. Of a line that nothing moved yet, nothing is owed."""
    limits = store.customers_at(asked.select("account_token", "at"))
    named = limits["credit_account_token"].eq_missing(asked["account_token"])
    rows = asked.select("account_token", "at").with_row_index("row")
    rows = rows.with_columns(limits["credit_limit"], named.alias("named"))
    flows = rows.join(store.flows_of(rows["account_token"]), on="account_token").filter(
        pl.col(KNOWN) <= pl.col("at")
    )
    flows = flows.sort("row", KNOWN, "transaction_id")
    found = pl.col("named") & (pl.col("credit_limit") > 0)
    told = (
        rows.join(_sums(flows), on="row", how="left", maintain_order="left")
        .join(_days(flows), on="row", how="left", maintain_order="left")
        .with_columns(
            found.fill_null(False).alias("found"),
            *(pl.col(name).fill_null(0) for name in (*_CENTS, "peak", *_COUNTS)),
        )
    )
    limit = pl.col("credit_limit").to_physical().cast(pl.Float64)
    worked_out = {
        "utilisation": (pl.col("owed") / limit).round(4),
        "peak_60d": (pl.col("peak") / limit).round(4),
        **{name: money(pl.col(name)) for name in _CENTS},
    }
    return told.select(
        "found",
        *(pl.when("found").then(worked_out.get(name, pl.col(name))).alias(name) for name in _TOLD),
    )


_CENTS = ("owed", "spent_3d", "largest_3d", "usual_3d", "spent_60d", "paid_60d")
_COUNTS = ("purchases_3d", "charged_back_90d", "declined_7d", "days_known")
_TOLD = tuple(name for name in BalanceHistory.model_fields if name != "found")


def _sums(flows: pl.DataFrame) -> pl.DataFrame:
    """One row per case that has flows, amounts in cents."""
    age = pl.col("at") - pl.col(KNOWN)
    burst, months = age < _BURST, age < _MONTHS
    before = age.is_between(_BURST, _BURST + _MONTHS, closed="left")
    known = age.max().dt.total_days()
    days = (known - _BURST.days).clip(_BURST.days, _MONTHS.days)
    return flows.group_by("row").agg(
        pl.col("owed").last(),
        pl.col("owed").filter(months).max().alias("peak"),
        pl.col("spent").filter(burst).sum().alias("spent_3d"),
        pl.col("spent").filter(burst).max().alias("largest_3d"),
        (burst & (pl.col("spent") > 0)).sum().cast(pl.Int64).alias("purchases_3d"),
        (pl.col("spent").filter(before).sum() * _BURST.days // days).alias("usual_3d"),
        known.alias("days_known"),
        pl.col("spent").filter(months).sum().alias("spent_60d"),
        pl.col("paid").filter(months).sum().alias("paid_60d"),
        (pl.col("charged_back") & (age < _QUARTER)).sum().cast(pl.Int64).alias("charged_back_90d"),
        (pl.col("declined") & (age < _WEEK)).sum().cast(pl.Int64).alias("declined_7d"),
    )


def _days(flows: pl.DataFrame) -> pl.DataFrame:
    """One row per case that has flows: its newest days, by when rows were known."""
    by_day = flows.group_by("row", pl.col(KNOWN).dt.date().alias("day"), maintain_order=True).agg(
        pl.col("owed").last(), pl.col("spent").sum(), pl.col("paid").sum()
    )
    cents = (("owed", "owed_at_end"), ("spent", "spent"), ("paid", "paid"))
    return by_day.group_by("row", maintain_order=True).agg(
        pl.col("day").tail(LISTED_DAYS).alias("days"),
        *(money(pl.col(name)).tail(LISTED_DAYS).alias(told) for name, told in cents),
    )


GET_ACCOUNT_BALANCE_HISTORY: Final = Tool(
    name="get_account_balance_history",
    description="The credit line's limit, what is owed and was, purchases, bills paid, disputes, day by day.",
    arguments=OfAccount,
    result=BalanceHistory,
    answer=balance_histories,
    own=own_line,
)
