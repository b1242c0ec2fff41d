"""The form of the bank's transactions: columns of `silver_transactions`, and what some of them say."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from casper_ray.domain.bank import IN as IN
from casper_ray.domain.bank import OUT as OUT
from casper_ray.medallion.bank.money import MONEY, RATE
from casper_ray.medallion.bank.source import TIMESTAMP
from casper_ray.medallion.columns import KNOWN

AT_PAR: Final = "at par"
"""`fx_source` of what is in the base currency."""

SILVER_SCHEMA = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("feed", pa.string()),
        ("transaction_type", pa.string()),
        ("original_transaction_id", pa.string()),
        ("account_token", pa.string()),
        ("card_token", pa.string()),
        ("card_type", pa.string()),
        ("counterparty_token", pa.string()),
        ("counterparty_name_token", pa.string()),
        ("counterparty_bank", pa.string()),
        ("internal", pa.bool_()),
        ("direction", pa.string()),
        ("txn_ts", TIMESTAMP),
        ("txn_day", pa.date32()),
        ("settlement_date", pa.date32()),
        ("merchant_id", pa.string()),
        ("mcc", pa.string()),
        ("merchant_category", pa.string()),
        ("merchant_risk", pa.float64()),
        ("country", pa.string()),
        ("channel", pa.string()),
        ("branch_id", pa.string()),
        ("branch_city", pa.string()),
        ("device_token", pa.string()),
        ("lat", pa.float64()),
        ("lon", pa.float64()),
        ("amount", MONEY),
        ("currency", pa.string()),
        ("fx_rate", RATE),
        ("fx_source", pa.string()),
        ("amount_base", MONEY),
        ("status", pa.string()),
        ("auth_result", pa.string()),
        (KNOWN, TIMESTAMP),
    ]
)
