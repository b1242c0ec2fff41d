"""The bank's Silver from either customer's side: what Gold sums and what agents look up must not disagree on."""

from __future__ import annotations

import polars as pl

from casper_ray.domain.bank import IN, POSTED


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
