"""What sums of transactions are made of."""

from __future__ import annotations

import polars as pl

from casper_ray.lakehouse.bank_sides import sides as sides

_ZERO = pl.lit(0, pl.Decimal(18, 2))
_COUNT = pl.Int64()


def counted(holds: pl.Expr, dtype: pl.DataType = _COUNT) -> pl.Expr:
    """1 where it holds, else 0: what adds up to a count."""
    return holds.fill_null(False).cast(dtype)


def worth(holds: pl.Expr) -> pl.Expr:
    """The amount in the base currency where it holds, else 0."""
    return pl.when(holds).then("amount_base").otherwise(_ZERO)
