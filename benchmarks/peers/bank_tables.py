"""The bank's tables that both peers write, and what their figures assume.

Of casper_ray come the names of the feeds' fields, here; rules and assumptions are those of configs/.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from casper_ray.domain.bank import ATM, CARD, COLUMNS, CUSTOMER_CDC, WIRE

BRONZE: Final = {
    CARD: "card_events",
    ATM: "atm_events",
    WIRE: "wire_events",
    CUSTOMER_CDC: "customer_cdc",
}
PARTITION_BY: Final[Mapping[str, str | None]] = {
    **dict.fromkeys(BRONZE.values()),
    "silver_transactions": "txn_day",
    "silver_customers": "bucket",
    "gold_daily_transaction_summary": "day",
    "gold_branch_performance": "day",
    "gold_merchant_category_spend": "month",
    "gold_liquidity_daily": None,
    "gold_pnl_daily": "day",
    "gold_customer_features": "day",
    "gold_fraud_risk_hourly": None,
    "gold_suspicious_activity": None,
}
"""Each table with its partition column, as in docs/reference/bank-tables.md."""

BEGUN: Final = {CARD: "initiated_ts", ATM: "initiated_ts", WIRE: "entered_ts"}
"""The field of each feed that says when a transaction began."""
CONCLUDING: Final = ("transaction_settled", "compliance_check_failed")
PAYS_OUT: Final = ("purchase", "withdrawal", "transfer_out")
GIVEN_BACK: Final = ("refund", "reversal", "chargeback")
BASE_CURRENCY: Final = "EUR"
HOME_COUNTRY: Final = "QZ"
WAYS: Final = {"card": CARD, "cash": ATM, "transfers": WIRE}
LIMITS: Final = ("limit_card", "limit_atm", "limit_wire", "overdraft", "credit_limit")
HISTOGRAM_EDGES: Final = tuple(round(100 * 10 ** (place / 8)) for place in range(41))
"""In cents; see gold_customer_features."""
SHOWN: Final = (
    "transaction_id",
    "feed",
    "transaction_type",
    "account_token",
    "card_token",
    "counterparty_token",
    "txn_ts",
    "txn_day",
    "merchant_category",
    "merchant_risk",
    "country",
    "channel",
    "branch_id",
    "amount_base",
    "status",
)
"""Columns that gold_suspicious_activity has of Silver."""

_CONFIGS = Path(__file__).parents[2] / "configs"
_NUMBERS = {"lat": "double", "lon": "double", "lsn": "long"}


def field_types(feed: str) -> dict[str, str]:
    """The fields of a feed's lines in their order, and how each is read: string, double or long."""
    return {name: _NUMBERS.get(name, "string") for name in COLUMNS[feed]}


def load_rules() -> list[dict[str, Any]]:
    """The rules that flag one transaction: code, sql, points."""
    rules: list[dict[str, Any]] = yaml.safe_load((_CONFIGS / "rules" / "bank.yml").read_text())[
        "transactions"
    ]
    return rules


def load_assumptions(of: str) -> dict[str, Any]:
    """What liquidity or pnl assumes."""
    assumed: dict[str, Any] = yaml.safe_load((_CONFIGS / "finance" / "bank.yml").read_text())[of]
    return assumed
