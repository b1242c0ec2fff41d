"""Gold of what the bank earns and loses on transactions."""

from __future__ import annotations

from functools import cache

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import (
    ATM,
    BASE_CURRENCY,
    CARD,
    CHARGEBACK,
    HOME_COUNTRY,
    POSTED,
    PURCHASE,
    REFUND,
    REVERSAL,
    TRANSFER_OUT,
    WITHDRAWAL,
)
from casper_ray.medallion.bank.assumptions import assumptions
from casper_ray.medallion.bank.measures import counted
from casper_ray.medallion.bank.money import from_units, units
from casper_ray.medallion.bank.spend import UNKNOWN
from casper_ray.medallion.bank.transactions import SILVER_TRANSACTIONS
from casper_ray.medallion.declare import Merge, Table

CASH, TRANSFERS = "cash", "transfers"
_EXACT = 6
"""Digits after the point: cents times whole basis points."""
_BP = 10_000
_INCOME = ("interchange", "fx_margin", "credit_interest", "fees")


def daily_pnl(transactions: pl.DataFrame) -> pl.DataFrame:
    """What a day's transactions earned and lost, by merchant category, or `cash` and `transfers`.

    Reads:   silver_transactions, posted ones.
    Returns: one row per day of txn_ts, UTC, and category; transactions; in BASE_CURRENCY, exact to six digits, by the
             rates of configs/finance/bank.yml: interchange, of purchases, less what was refunded or reversed;
             fx_margin, of purchases, withdrawals and transfers out in other currencies; credit_interest, of purchases
             by credit card; fees, of cash and transfers out to abroad; fraud_losses, the bank's share of chargebacks;
             net_income, the four less fraud_losses.
    Rules:   booked on the day of the transaction that brings them, a chargeback weeks after its purchase.
    """
    whole = transactions.filter(pl.col("status") == POSTED).select(
        pl.col("txn_day").alias("day"),
        _category().alias("category"),
        counted(pl.lit(True)).alias("transactions"),
        *_earned(),
    )
    return whole.with_columns(_exact())


@cache
def _exact() -> tuple[pl.Expr, ...]:
    """What was earned and lost, and what is left of it, with six digits."""
    left = pl.sum_horizontal(_INCOME) - pl.col("fraud_losses")
    parts = [*(pl.col(name) for name in (*_INCOME, "fraud_losses")), left.alias("net_income")]
    return tuple(from_units(part, _EXACT).alias(name) for part, name in zip(parts, _SUMS, strict=True))


@cache
def _earned() -> tuple[pl.Expr, ...]:
    """Each part of a day's income, in cents times whole basis points."""
    assumed = assumptions().pnl
    kind = pl.col("transaction_type")
    cents = units(pl.col("amount_base"))
    bought, credit = kind == PURCHASE, pl.col("card_type") == "credit"
    undone = kind.is_in((REFUND, REVERSAL)) & (pl.col("feed") == CARD)
    rate = pl.when(credit).then(assumed.interchange_credit_bp).otherwise(assumed.interchange_debit_bp)
    exchanged = kind.is_in((PURCHASE, WITHDRAWAL, TRANSFER_OUT)) & (pl.col("currency") != BASE_CURRENCY)
    abroad = pl.col("country") != HOME_COUNTRY
    transfer_fee, cash_fee = (
        int(fee * 100) * _BP for fee in (assumed.transfer_abroad_fee, assumed.cash_abroad_fee)
    )
    parts = {
        "interchange": _if(bought, cents * rate) - _if(undone, cents * rate),
        "fx_margin": _if(exchanged, cents * assumed.fx_margin_bp),
        "credit_interest": _if(bought & credit, cents * assumed.credit_interest_bp),
        "fees": _if(abroad & (kind == TRANSFER_OUT), pl.lit(transfer_fee))
        + _if(abroad & (kind == WITHDRAWAL), pl.lit(cash_fee)),
        "fraud_losses": _if(kind == CHARGEBACK, cents * assumed.chargeback_loss_bp),
    }
    return tuple(amount.alias(name) for name, amount in parts.items())


def _if(holds: pl.Expr, amount: pl.Expr) -> pl.Expr:
    return pl.when(holds).then(amount.cast(pl.Int128)).otherwise(pl.lit(0, pl.Int128))


def _category() -> pl.Expr:
    feed = pl.col("feed")
    by_card = pl.col("merchant_category").fill_null(UNKNOWN)
    return (
        pl.when(feed == CARD).then(by_card).when(feed == ATM).then(pl.lit(CASH)).otherwise(pl.lit(TRANSFERS))
    )


_SUMS = (*_INCOME, "fraud_losses", "net_income")

GOLD_PNL_DAILY = Table(
    name="gold_pnl_daily",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per day and category with a posted transaction",
    schema=pa.schema(
        [
            ("day", pa.date32()),
            ("category", pa.string()),
            ("transactions", pa.int64()),
            *((name, pa.decimal128(18, _EXACT)) for name in _SUMS),
        ]
    ),
    update=Merge(keys=("day", "category"), sums=("transactions", *_SUMS), segment="day"),
    transform=daily_pnl,
    change_feed=True,
    partition_by=("day",),
)
