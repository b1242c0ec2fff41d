"""Exact money: decimals from text, and into the base currency."""

from __future__ import annotations

from typing import Final

import polars as pl
import pyarrow as pa

MONEY: Final = pa.decimal128(18, 2)
RATE: Final = pa.decimal128(18, 8)
_MONEY, _RATE = pl.Decimal(18, 2), pl.Decimal(18, 8)
_WRITTEN = r"^-?[0-9]{1,16}(\.[0-9]{1,2})?$"
_RATE_UNIT = 10**8


def amount_of(text: pl.Expr) -> pl.Expr:
    """Text as Decimal(18, 2); null where it is no amount of whole cents below 10^16: nothing is rounded."""
    return pl.when(text.str.contains(_WRITTEN)).then(text).cast(_MONEY, strict=False)


def in_base(amount: pl.Expr, rate: pl.Expr) -> pl.Expr:
    """amount (18, 2) x rate (18, 8), rounded half up to the cent, as Decimal(18, 2); null where it does not fit.

    Whole numbers of 128 bits: polars' own product keeps eight digits after the point and rounds there first, so that
    0.0049999999 would become 0.005 and then 0.01. Half up is towards the larger number.
    """
    return from_units((units(amount, _MONEY) * units(rate, _RATE) + _RATE_UNIT // 2) // _RATE_UNIT, 2)


def units(number: pl.Expr, dtype: pl.Decimal = _MONEY) -> pl.Expr:
    """A decimal in units of its last digit, as whole numbers of 128 bits: 12.34 is 1234."""
    return number.cast(dtype).to_physical().cast(pl.Int128)


def from_units(number: pl.Expr, scale: int, precision: int = 18) -> pl.Expr:
    """The inverse of `units`: 1234 with scale 2 is 12.34; null where it does not fit.

    A quotient of decimals has the scale of what is divided, so the number gets its digits first.
    """
    whole = number.cast(pl.Decimal(38, scale), strict=False)
    one = pl.lit(10**scale, pl.Decimal(scale + 1, 0))
    return (whole / one).cast(pl.Decimal(precision, scale), strict=False)
