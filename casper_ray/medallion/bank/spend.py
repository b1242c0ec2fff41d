"""Gold of what is spent where: by merchant category and month."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import CARD, CHARGEBACK, POSTED, PURCHASE, REFUND, REVERSAL
from casper_ray.medallion.bank.measures import counted, worth
from casper_ray.medallion.bank.money import MONEY
from casper_ray.medallion.bank.transactions import SILVER_TRANSACTIONS
from casper_ray.medallion.declare import Merge, Table

UNKNOWN = "unknown"
_GIVEN_BACK = (REFUND, REVERSAL, CHARGEBACK)


def category_spend(transactions: pl.DataFrame) -> pl.DataFrame:
    """What cards spent in a category in a month: purchases, what was given back, and the difference.

    Reads:   silver_transactions, posted ones of the card feed.
    Returns: one row per category (as of the purchase; `unknown` where the merchant is) and month (its first day, of
             txn_ts, UTC); amounts in BASE_CURRENCY. given_back: refunds, reversals and chargebacks, in the month in
             which they came, so that a month's net can be below 0.
    Rules:   how many different accounts: see gold_merchant_category_reach.
    """
    bought = pl.col("transaction_type") == PURCHASE
    back = pl.col("transaction_type").is_in(_GIVEN_BACK)
    return _by_category(transactions).select(
        "merchant_category",
        "month",
        counted(bought).alias("purchases"),
        worth(bought).alias("spend"),
        counted(back).alias("given_back"),
        worth(back).alias("given_back_amount"),
        (worth(bought) - worth(back)).cast(pl.Decimal(18, 2)).alias("net_spend"),
    )


def purchases_by_category(transactions: pl.DataFrame) -> pl.DataFrame:
    """Posted purchases by card, with merchant_category and month as `category_spend` has them."""
    return _by_category(transactions).filter(pl.col("transaction_type") == PURCHASE)


def _by_category(transactions: pl.DataFrame) -> pl.DataFrame:
    return transactions.filter((pl.col("feed") == CARD) & (pl.col("status") == POSTED)).with_columns(
        pl.col("merchant_category").fill_null(UNKNOWN), pl.col("txn_day").dt.month_start().alias("month")
    )


_SUMS = ("spend", "given_back_amount", "net_spend")

GOLD_MERCHANT_CATEGORY_SPEND = Table(
    name="gold_merchant_category_spend",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per merchant category and month with a card transaction",
    schema=pa.schema(
        [
            ("merchant_category", pa.string()),
            ("month", pa.date32()),
            ("purchases", pa.int64()),
            ("given_back", pa.int64()),
            *((name, MONEY) for name in _SUMS),
        ]
    ),
    update=Merge(
        keys=("merchant_category", "month"), sums=("purchases", "given_back", *_SUMS), segment="month"
    ),
    transform=category_spend,
    change_feed=True,
    partition_by=("month",),
)
