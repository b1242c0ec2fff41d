"""How many different accounts bought in a category: sketches that merge.

A count of different accounts cannot be added up over batches. A HyperLogLog's registers can: each keeps a maximum.
They are rows here, so that they merge as every other keyed table does.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from casper_ray.medallion.bank.spend import purchases_by_category
from casper_ray.medallion.bank.transactions import SILVER_TRANSACTIONS
from casper_ray.medallion.declare import Merge, Table

REGISTERS = 1024
STANDARD_ERROR = 1.04 / math.sqrt(REGISTERS)
_LETTERS = 8
"""Of a token's 26 letters of base32: 5 bits each, evenly spread, since they are of a keyed hash. Two name the
register; six are the 30 bits whose leading zeros count."""
_REST_BITS = 30
Ints = NDArray[np.int64]
_VALUES = np.zeros(256, dtype=np.int64)
_VALUES[np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)] = np.arange(32)


def category_registers(transactions: pl.DataFrame) -> pl.DataFrame:
    """HyperLogLog registers of the accounts that bought in a category in a month.

    Reads:   silver_transactions, posted purchases by card.
    Returns: one row per category, month (its first day) and register that was hit: rank, the largest number of
             leading zeros and one. `accounts_reached` makes numbers of them.
    Rules:   an account that has another token after a rotation of keys counts again.
    Source:  Flajolet, Fusy, Gandouet, Meunier: HyperLogLog (2007).
    """
    bought = (
        purchases_by_category(transactions).select("merchant_category", "month", "account_token").unique()
    )
    bought = bought.drop_nulls()  # an account is missing only in a batch that a rule will stop
    register, rank = _hashed(bought["account_token"])
    return bought.select("merchant_category", "month").with_columns(
        pl.Series("register", register, dtype=pl.Int64), pl.Series("rank", rank, dtype=pl.Int64)
    )


def accounts_reached(registers: pl.DataFrame) -> pl.DataFrame:
    """About how many different accounts bought: one row per category and month, sorted: accounts.

    Reads:   rows of `gold_merchant_category_reach`.
    Rules:   standard error 3.25 %, and near exact for few: up to 2.5 x REGISTERS the empty registers are counted.
    """
    empty = REGISTERS - pl.len().cast(pl.Int64)
    weight = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS**2
    estimate = weight / ((2.0 ** (-pl.col("rank").cast(pl.Float64))).sum() + empty)
    counted = REGISTERS * (REGISTERS / empty).log()
    few = (estimate <= 2.5 * REGISTERS) & (empty > 0)
    accounts = pl.when(few).then(counted).otherwise(estimate).round().cast(pl.Int64)
    return (
        registers.group_by("merchant_category", "month")
        .agg(accounts.alias("accounts"))
        .sort("merchant_category", "month")
    )


def _hashed(tokens: pl.Series) -> tuple[Ints, Ints]:
    letters = "".join(tokens.str.tail(26).str.head(_LETTERS)).encode()
    values = _VALUES[np.frombuffer(letters, dtype=np.uint8)].reshape(len(tokens), _LETTERS)
    rest = values[:, 2:] @ (1 << np.arange(_REST_BITS - 5, -1, -5, dtype=np.int64))
    _, bits = np.frexp(rest.astype(np.float64))  # of a whole number above 0, how many bits it has; of 0, 0
    return values[:, 0] * 32 + values[:, 1], _REST_BITS + 1 - bits


GOLD_MERCHANT_CATEGORY_REACH = Table(
    name="gold_merchant_category_reach",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per category, month and register of the sketch of its accounts",
    schema=pa.schema(
        [
            ("merchant_category", pa.string()),
            ("month", pa.date32()),
            ("register", pa.int64()),
            ("rank", pa.int64()),
        ]
    ),
    update=Merge(keys=("merchant_category", "month", "register"), highest=("rank",), segment="month"),
    transform=category_registers,
    change_feed=True,
    partition_by=("month",),
)
