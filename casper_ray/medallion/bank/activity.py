"""Gold of what happened: by account and day, by branch and day."""

from __future__ import annotations

from functools import cache

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import ATM, CARD, DECLINED, DEPOSIT, POSTED, WIRE, WITHDRAWAL
from casper_ray.medallion.bank.form import IN, OUT
from casper_ray.medallion.bank.measures import counted, sides, worth
from casper_ray.medallion.bank.money import MONEY
from casper_ray.medallion.bank.transactions import SILVER_TRANSACTIONS
from casper_ray.medallion.declare import Merge, Table


def daily_activity(transactions: pl.DataFrame) -> pl.DataFrame:
    """What an account's day was: transactions posted, in all, each way and by feed; declined; sums each way.

    Rules: day is the day of txn_ts, UTC; amounts in BASE_CURRENCY, of what was posted. A transfer between two
           customers counts on both accounts. An account is of one customer: `silver_customers` says whose. How many
           accounts were active on a day, exactly, is how many rows it has.
    """
    return sides(transactions).select(*_account_activity())


@cache
def _account_activity() -> tuple[pl.Expr | str, ...]:
    posted = pl.col("status") == POSTED
    way_in, way_out = posted & (pl.col("direction") == IN), posted & (pl.col("direction") == OUT)
    return (
        "account_token",
        pl.col("txn_day").alias("day"),
        counted(posted).alias("transactions"),
        counted(way_in).alias("transactions_in"),
        counted(way_out).alias("transactions_out"),
        *(
            counted(posted & (pl.col("feed") == feed)).alias(f"transactions_{feed}")
            for feed in (CARD, ATM, WIRE)
        ),
        counted(~posted).alias("declined"),
        worth(way_in).alias("amount_in"),
        worth(way_out).alias("amount_out"),
    )


def branch_activity(transactions: pl.DataFrame) -> pl.DataFrame:
    """What a branch's accounts did on a day: transactions posted, their amount, cash in and out, declined.

    Rules: day is the day of txn_ts, UTC; amounts in BASE_CURRENCY, of what was posted, whichever way it went. A
           transfer between two customers counts once, at the payer's branch: the line says no other.
    """
    return transactions.select(*_branch_activity())


@cache
def _branch_activity() -> tuple[pl.Expr | str, ...]:
    posted = pl.col("status") == POSTED
    return (
        "branch_id",
        pl.col("txn_day").alias("day"),
        counted(posted).alias("transactions"),
        counted(pl.col("status") == DECLINED).alias("declined"),
        worth(posted).alias("amount"),
        *(
            made
            for name, kind in (("deposits", DEPOSIT), ("withdrawals", WITHDRAWAL))
            for made in (
                counted(posted & (pl.col("transaction_type") == kind)).alias(name),
                worth(posted & (pl.col("transaction_type") == kind)).alias(f"{name}_amount"),
            )
        ),
    )


_DAILY_COUNTS = (
    "transactions",
    "transactions_in",
    "transactions_out",
    *(f"transactions_{feed}" for feed in (CARD, ATM, WIRE)),
    "declined",
)
_DAILY_SUMS = ("amount_in", "amount_out")

GOLD_DAILY_TRANSACTION_SUMMARY = Table(
    name="gold_daily_transaction_summary",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per customer's account and day with a transaction",
    schema=pa.schema(
        [
            ("account_token", pa.string()),
            ("day", pa.date32()),
            *((name, pa.int64()) for name in _DAILY_COUNTS),
            *((name, MONEY) for name in _DAILY_SUMS),
        ]
    ),
    update=Merge(keys=("account_token", "day"), sums=(*_DAILY_COUNTS, *_DAILY_SUMS), segment="day"),
    transform=daily_activity,
    change_feed=True,
    partition_by=("day",),
)

_BRANCH_COUNTS = ("transactions", "declined", "deposits", "withdrawals")
_BRANCH_SUMS = ("amount", "deposits_amount", "withdrawals_amount")

GOLD_BRANCH_PERFORMANCE = Table(
    name="gold_branch_performance",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per branch and day with a transaction",
    schema=pa.schema(
        [
            ("branch_id", pa.string()),
            ("day", pa.date32()),
            *((name, pa.int64()) for name in _BRANCH_COUNTS),
            *((name, MONEY) for name in _BRANCH_SUMS),
        ]
    ),
    update=Merge(keys=("branch_id", "day"), sums=(*_BRANCH_COUNTS, *_BRANCH_SUMS), segment="day"),
    transform=branch_activity,
    change_feed=True,
    partition_by=("day",),
)
