"""What is asked: a case, one by one or as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.datatypes import DataTypeClass

from casper_ray.agents.features.codes import Books, numbers_of
from casper_ray.domain.time import sim_micros
from casper_ray.errors import SchemaError

_INSTANT = pl.Datetime("us", "UTC")
NO_AMOUNT: Final = -1

_TYPES: dict[str, pl.DataType | DataTypeClass] = {
    "case_id": pl.String,
    "account_token": pl.String,
    "at": _INSTANT,
    "amount_base": pl.Decimal(18, 2),
    "counterparty_token": pl.String,
    "device_token": pl.String,
    "merchant_id": pl.String,
    "lat": pl.Float64,
    "lon": pl.Float64,
    "transaction_id": pl.String,
    "txn_ts": _INSTANT,
}
CASE_SCHEMA: Final = pl.Schema(_TYPES)
"""Columns of a table of cases; the last two may be left out. See `Case`."""
_OPTIONAL = {"transaction_id", "txn_ts"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a decision is about: an account, an instant, and the transaction in question.

    at:             UTC; nothing that was known later is read.
    amount_base:    of the transaction, in BASE_CURRENCY.
    lat, lon:       degrees.
    transaction_id: Silver's row of the transaction itself, the account's, which then counts for nothing.
    txn_ts:         when it happened, UTC, where that was before `at`; windows end there. A transfer is keyed in hours
                    before its file comes.
    """

    case_id: str
    account_token: str
    at: datetime
    amount_base: Decimal | None = None
    counterparty_token: str | None = None
    device_token: str | None = None
    merchant_id: str | None = None
    lat: float | None = None
    lon: float | None = None
    transaction_id: str | None = None
    txn_ts: datetime | None = None


class Asked(NamedTuple):
    """Cases as numbers, one place each. Codes are those of `Books`; a missing or an unknown one is below 0.

    at_us, when_us: microseconds; when: the end of the windows, not after at. cents: NO_AMOUNT where there is none.
    own: `numbers_of` the transaction's id. lat, lon: NaN where there is no place. given_*: the case names one, known
    or not.
    """

    account: NDArray[np.int64]
    at_us: NDArray[np.int64]
    when_us: NDArray[np.int64]
    cents: NDArray[np.int64]
    party: NDArray[np.int64]
    device: NDArray[np.int64]
    merchant: NDArray[np.int64]
    own: NDArray[np.uint64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    given_party: NDArray[np.bool_]
    given_device: NDArray[np.bool_]
    given_merchant: NDArray[np.bool_]


def checked_cases(cases: pl.DataFrame) -> pl.DataFrame:
    """The cases with every column of `CASE_SCHEMA`, in its types. Raises: SchemaError."""
    missing = set(CASE_SCHEMA) - _OPTIONAL - set(cases.columns)
    empty = cases.filter(pl.col("account_token").is_null() | pl.col("at").is_null()) if not missing else cases
    if missing or (cases.height and not isinstance(cases.schema["at"], pl.Datetime)):
        raise SchemaError.missing_columns("cases", missing or {"at as an instant"}, cases.columns)
    if empty.height:
        raise SchemaError(f"cases: {empty.height} without account_token or at")
    return cases.select(
        (pl.col(name) if name in cases.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in CASE_SCHEMA.items()
    )


def asked_of_table(cases: pl.DataFrame, books: Books) -> Asked:
    """A table of `CASE_SCHEMA` as numbers."""
    at = cases["at"].to_physical().to_numpy()
    when = cases["txn_ts"].fill_null(cases["at"]).to_physical().to_numpy()
    cents = cases["amount_base"].to_physical().cast(pl.Int64).fill_null(NO_AMOUNT)
    return Asked(
        account=books.accounts.found(cases["account_token"]),
        at_us=at,
        when_us=np.minimum(when, at),
        cents=cents.to_numpy(),
        party=books.parties.found(cases["counterparty_token"]),
        device=books.devices.found(cases["device_token"]),
        merchant=books.merchants.found(cases["merchant_id"]),
        own=numbers_of(cases["transaction_id"]),
        lat=cases["lat"].fill_null(np.nan).to_numpy(),
        lon=cases["lon"].fill_null(np.nan).to_numpy(),
        given_party=cases["counterparty_token"].is_not_null().to_numpy(),
        given_device=cases["device_token"].is_not_null().to_numpy(),
        given_merchant=cases["merchant_id"].is_not_null().to_numpy(),
    )


def asked_of_one(case: Case, books: Books) -> Asked:
    """The same of one case, without the cost of a table."""
    at = sim_micros(case.at)
    when = at if case.txn_ts is None else min(at, sim_micros(case.txn_ts))
    cents = NO_AMOUNT if case.amount_base is None else int(case.amount_base.scaleb(2))
    return Asked(
        account=np.array([books.accounts.find(case.account_token)]),
        at_us=np.array([at]),
        when_us=np.array([when]),
        cents=np.array([cents]),
        party=np.array([books.parties.find(case.counterparty_token)]),
        device=np.array([books.devices.find(case.device_token)]),
        merchant=np.array([books.merchants.find(case.merchant_id)]),
        own=numbers_of(pl.Series([case.transaction_id], dtype=pl.String)),
        lat=np.array([np.nan if case.lat is None else case.lat]),
        lon=np.array([np.nan if case.lon is None else case.lon]),
        given_party=np.array([case.counterparty_token is not None]),
        given_device=np.array([case.device_token is not None]),
        given_merchant=np.array([case.merchant_id is not None]),
    )
