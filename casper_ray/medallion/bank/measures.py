"""What sums of transactions are made of."""

from __future__ import annotations

import polars as pl

from casper_ray.domain.bank import POSTED
from casper_ray.medallion.bank.form import IN

_ZERO = pl.lit(0, pl.Decimal(18, 2))


def counted(holds: pl.Expr) -> pl.Expr:
    """1 where it holds, else 0: what adds up to a count."""
    return holds.fill_null(False).cast(pl.Int64)


def worth(holds: pl.Expr) -> pl.Expr:
    """The amount in the base currency where it holds, else 0."""
    return pl.when(holds).then("amount_base").otherwise(_ZERO)


def sides(transactions: pl.DataFrame) -> pl.DataFrame:
    """One row per transaction and customer's account that it moves: a transfer between two customers has two.

    Rules: the second is the payee's: in, account and counterparty exchanged; a declined one has none.
    """
    arrived = transactions.filter(pl.col("internal") & (pl.col("status") == POSTED)).with_columns(
        pl.col("counterparty_token").alias("account_token"),
        pl.col("account_token").alias("counterparty_token"),
        pl.lit(IN).alias("direction"),
    )
    return pl.concat([transactions, arrived])
