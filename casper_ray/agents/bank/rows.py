"""Rows of the bank that tools read: a transaction, a flagged one, a customer's version. Tokens, no names."""

from __future__ import annotations

from typing import Final

import polars as pl
from polars.datatypes import DataTypeClass

from casper_ray.lakehouse.read import KNOWN

FLAGGED_TS: Final = "flagged_ts"
_INSTANT = pl.Datetime("us", "UTC")
_MONEY = pl.Decimal(18, 2)
_TRANSACTION: dict[str, pl.DataType | DataTypeClass] = {
    "transaction_id": pl.String,
    "feed": pl.String,
    "transaction_type": pl.String,
    "original_transaction_id": pl.String,
    "account_token": pl.String,
    "card_token": pl.String,
    "card_type": pl.String,
    "counterparty_token": pl.String,
    "counterparty_name_token": pl.String,
    "internal": pl.Boolean,
    "direction": pl.String,
    "txn_ts": _INSTANT,
    "txn_day": pl.Date,
    "merchant_id": pl.String,
    "merchant_category": pl.String,
    "merchant_risk": pl.Float64,
    "country": pl.String,
    "channel": pl.String,
    "branch_id": pl.String,
    "device_token": pl.String,
    "lat": pl.Float64,
    "lon": pl.Float64,
    "amount": _MONEY,
    "currency": pl.String,
    "amount_base": _MONEY,
    "status": pl.String,
    "auth_result": pl.String,
    KNOWN: _INSTANT,
}
TRANSACTION: Final = pl.Schema(_TRANSACTION)
"""Of Silver, what tools tell of a transaction. Tokens, no names."""
FLAGGED: Final = pl.Schema(
    {
        **_TRANSACTION,
        "reason_codes": pl.List(pl.String),
        "risk_score": pl.Int64,
        "source_batch": pl.Int64,
        FLAGGED_TS: _INSTANT,
    }
)
"""A flagged transaction: the rules' verdict, the batch that brought it, and from when that could be known."""
_CUSTOMER: dict[str, pl.DataType | DataTypeClass] = {
    "customer_id": pl.String,
    "lsn": pl.Int64,
    "valid_from": _INSTANT,
    "account_token": pl.String,
    "credit_account_token": pl.String,
    "name_token": pl.String,
    "device_token": pl.String,
    "country": pl.String,
    "income_band": pl.String,
    "segment": pl.String,
    "branch_id": pl.String,
    "devices": pl.Int64,
    "limit_card": _MONEY,
    "limit_atm": _MONEY,
    "limit_wire": _MONEY,
    "overdraft": _MONEY,
    "credit_limit": _MONEY,
    KNOWN: _INSTANT,
}
CUSTOMER: Final = pl.Schema(_CUSTOMER)
"""A customer's version. What a later one says of it (`valid_to`, `is_current`) is left out: that is its future."""
