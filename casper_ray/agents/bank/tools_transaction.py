"""What an agent may ask of a transaction: itself, its merchant, and what its account did just before."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import polars as pl

from casper_ray.agents.bank.rows import FLAGGED_TS
from casper_ray.agents.bank.scope import (
    OfMerchant,
    OfTransaction,
    allows_transaction,
    own_merchant,
    own_transaction,
)
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.tools import Result, Tool
from casper_ray.domain.bank import CHARGEBACK
from casper_ray.lakehouse.read import KNOWN

_MONTH = timedelta(days=30)
_AT_MERCHANTS: Final = (
    "transaction_id",
    "merchant_id",
    "merchant_category",
    "merchant_risk",
    "account_token",
    "transaction_type",
    KNOWN,
)


class TransactionDetails(Result):
    """One transaction. amount in `currency`; amount_base in EUR. reason_codes, risk_score: of the rules that flag.

    txn_ts: when it was initiated. direction: from the account's side. *_token: tokens of what must not be shown.
    """

    feed: str | None
    transaction_type: str | None
    direction: str | None
    status: str | None
    auth_result: str | None
    card_type: str | None
    channel: str | None
    country: str | None
    txn_ts: datetime | None
    amount: Decimal | None
    currency: str | None
    amount_base: Decimal | None
    internal: bool | None
    account_token: str | None
    counterparty_token: str | None
    device_token: str | None
    merchant_id: str | None
    merchant_category: str | None
    original_transaction_id: str | None
    reason_codes: list[str] | None
    risk_score: int | None


class MerchantRisk(Result):
    """risk: 0 to 1, of the merchant as of the transaction. *_30d: flagged transactions at the merchant in the 30 days
    before the case, and how many accounts had them; charged_back_30d: of these that customers disputed.
    """

    category: str | None
    risk: float | None
    flagged_30d: int | None
    flagged_accounts_30d: int | None
    charged_back_30d: int | None


class TransactionVelocity(Result):
    """What the transaction's account paid and got in the hour, day and week before it, itself left out. EUR.

    h_from_last: hours since it last paid somewhere; km_from_last, km_from_home: kilometres from there, and from where
    it mostly pays.
    """

    out_count_1h: int | None
    out_amount_1h: Decimal | None
    out_count_24h: int | None
    out_amount_24h: Decimal | None
    out_count_7d: int | None
    out_amount_7d: Decimal | None
    in_count_24h: int | None
    in_amount_24h: Decimal | None
    in_count_7d: int | None
    in_amount_7d: Decimal | None
    declined_24h: int | None
    new_merchant: bool | None
    h_from_last: float | None
    km_from_last: float | None
    km_from_home: float | None


def transaction_details(store: BankStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`TransactionDetails` of each asked transaction."""
    verdicts = store.flagged.select("transaction_id", "reason_codes", "risk_score", FLAGGED_TS)
    flagged = pl.col(FLAGGED_TS) <= pl.col("at")
    return (
        store.transactions_at(asked)
        .with_columns(asked["at"])
        .join(verdicts, on="transaction_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("transaction_id").is_not_null().alias("found"),
            *(pl.when(flagged).then(name).alias(name) for name in ("reason_codes", "risk_score")),
        )
        .select(list(TransactionDetails.model_fields))
    )


def merchant_risks(store: BankStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`MerchantRisk` of each asked merchant: what Silver and the rules said of it so far."""
    cases = asked.select(pl.int_range(pl.len()).alias("row"), "merchant_id", "at")
    flagged = store.flagged_by("merchant_id", asked["merchant_id"]).select(*_AT_MERCHANTS, FLAGGED_TS)
    own = store.transactions_at(own_transaction(store, asked).with_columns(asked["at"])).select(_AT_MERCHANTS)
    rows = pl.concat([flagged, own], how="diagonal").unique("transaction_id", keep="first")
    known = pl.col(KNOWN) <= pl.col("at")
    flags = (pl.col(FLAGGED_TS) < pl.col("at")) & (pl.col(FLAGGED_TS) >= pl.col("at") - _MONTH)
    told = (
        cases.join(rows, on="merchant_id")
        .sort(KNOWN, "transaction_id")
        .group_by("row")
        .agg(
            pl.col("merchant_category").filter(known).last().alias("category"),
            pl.col("merchant_risk").filter(known).last().alias("risk"),
            flags.sum().cast(pl.Int64).alias("flagged_30d"),
            pl.col("account_token").filter(flags).n_unique().cast(pl.Int64).alias("flagged_accounts_30d"),
            (flags & (pl.col("transaction_type") == CHARGEBACK))
            .sum()
            .cast(pl.Int64)
            .alias("charged_back_30d"),
        )
    )
    found = pl.col("category").is_not_null() | pl.col("risk").is_not_null()
    counts = ("flagged_30d", "flagged_accounts_30d", "charged_back_30d")
    return cases.join(told, on="row", how="left", maintain_order="left").select(
        found.alias("found"), "category", "risk", *(pl.when(found).then(name).alias(name) for name in counts)
    )


def velocities(store: BankStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`TransactionVelocity` of each asked transaction."""
    features = store.features_of_transactions(asked["transaction_id"], asked["at"])
    return features.with_columns(pl.col("out_count_1h").is_not_null().alias("found")).select(
        list(TransactionVelocity.model_fields)
    )


GET_TRANSACTION_DETAILS: Final = Tool(
    name="get_transaction_details",
    description="The transaction: kind, amount, instant, place, status, and the rules that flagged it.",
    arguments=OfTransaction,
    result=TransactionDetails,
    answer=transaction_details,
    own=own_transaction,
    allows=allows_transaction,
)
GET_MERCHANT_RISK_SCORE: Final = Tool(
    name="get_merchant_risk_score",
    description="The risk of the transaction's merchant, and what was flagged there in the 30 days before.",
    arguments=OfMerchant,
    result=MerchantRisk,
    answer=merchant_risks,
    own=own_merchant,
)
GET_VELOCITY: Final = Tool(
    name="get_velocity",
    description="How often and how much the account paid and got just before, and how far from where it was.",
    arguments=OfTransaction,
    result=TransactionVelocity,
    answer=velocities,
    own=own_transaction,
    allows=allows_transaction,
)
