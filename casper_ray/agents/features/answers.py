"""What is answered: features of one case, or a table of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.datatypes import DataTypeClass

_MONEY = pl.Decimal(18, 2)
_CENTS = pl.lit(100, pl.Decimal(3, 0))

_TYPES: dict[str, pl.DataType | DataTypeClass] = {
    "case_id": pl.String,
    "own_transactions": pl.Int64,
    "own_p50": pl.Float64,
    "own_p95": pl.Float64,
    "own_p99": pl.Float64,
    "amount_rank": pl.Float64,
    "night_share": pl.Float64,
    "out_count_1h": pl.Int64,
    "out_amount_1h": _MONEY,
    "out_count_24h": pl.Int64,
    "out_amount_24h": _MONEY,
    "out_count_7d": pl.Int64,
    "out_amount_7d": _MONEY,
    "in_count_1h": pl.Int64,
    "in_amount_1h": _MONEY,
    "in_count_24h": pl.Int64,
    "in_amount_24h": _MONEY,
    "in_count_7d": pl.Int64,
    "in_amount_7d": _MONEY,
    "declined_24h": pl.Int64,
    "new_device": pl.Boolean,
    "new_payee": pl.Boolean,
    "new_merchant": pl.Boolean,
    "km_from_last": pl.Float64,
    "h_from_last": pl.Float64,
    "km_from_home": pl.Float64,
    "counterparty_degree": pl.Int64,
}
FEATURE_SCHEMA: Final = pl.Schema(_TYPES)
"""One row per case. docs/reference/bank-features.md says what each is; `Features` has the same of one case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Of one case. Money in BASE_CURRENCY: amounts exact, own_p* read from a histogram. None: nothing to tell.

    own_*, amount_rank, night_share: of posted transactions out on the days before. *_1h, *_24h, *_7d: of the hour,
    day and week before. km: kilometres; h: hours.
    """

    case_id: str
    own_transactions: int
    own_p50: float | None
    own_p95: float | None
    own_p99: float | None
    amount_rank: float | None
    night_share: float | None
    out_count_1h: int
    out_amount_1h: Decimal
    out_count_24h: int
    out_amount_24h: Decimal
    out_count_7d: int
    out_amount_7d: Decimal
    in_count_1h: int
    in_amount_1h: Decimal
    in_count_24h: int
    in_amount_24h: Decimal
    in_count_7d: int
    in_amount_7d: Decimal
    declined_24h: int
    new_device: bool | None
    new_payee: bool | None
    new_merchant: bool | None
    km_from_last: float | None
    h_from_last: float | None
    km_from_home: float | None
    counterparty_degree: int | None


def table_of(case_ids: pl.Series, features: Mapping[str, NDArray[np.generic]]) -> pl.DataFrame:
    """A table of `FEATURE_SCHEMA` from `History.features`: NaN, and below 0, is null; money is in cents there."""
    raw = pl.DataFrame({name: features[name] for name in FEATURE_SCHEMA if name != "case_id"})
    columns = raw.select(
        _typed(pl.col(name), dtype).alias(name)
        for name, dtype in FEATURE_SCHEMA.items()
        if name in raw.columns
    )
    return columns.insert_column(0, case_ids.alias("case_id"))


def _typed(values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Float64:
        return values.fill_nan(None)
    if dtype == _MONEY:
        return (values.cast(pl.Decimal(38, 2)) / _CENTS).cast(_MONEY)
    return pl.when(values >= 0).then(values).cast(dtype)


def one_of(case_id: str, features: Mapping[str, NDArray[np.generic]]) -> Features:
    """The same of one case."""
    named = {
        field.name: _plain(features[field.name][0].item(), FEATURE_SCHEMA[field.name])
        for field in fields(Features)
        if field.name != "case_id"
    }
    return Features(case_id=case_id, **named)


def _plain(value: Any, dtype: pl.DataType) -> Any:
    if dtype == _MONEY:
        return Decimal(value).scaleb(-2)
    if dtype == pl.Float64:
        return None if value != value else value
    if value < 0:
        return None
    return bool(value) if dtype == pl.Boolean else value
