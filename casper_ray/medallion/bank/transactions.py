"""Silver of the bank's transactions: three feeds, one form."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import (
    ATM,
    BASE_CURRENCY,
    CARD,
    DECLINED,
    POSTED,
    PURCHASE,
    SETTLED,
    TRANSFER_OUT,
    WIRE,
    WITHDRAWAL,
)
from casper_ray.medallion.bank.concluded import CONCLUDED_ATM, CONCLUDED_CARD, CONCLUDED_WIRE
from casper_ray.medallion.bank.form import AT_PAR, IN, OUT, SILVER_SCHEMA
from casper_ray.medallion.bank.money import RATE, amount_of, in_base
from casper_ray.medallion.columns import KNOWN, TRACE
from casper_ray.medallion.declare import Append, Lookup, Table, View
from casper_ray.security.domains import Domain

_PAYS_OUT = (PURCHASE, WITHDRAWAL, TRANSFER_OUT)
_PLACE_DIGITS = 2
"""Of a degree: 0.01 is 1.1 km north to south. Where somebody was, not where they stood."""

_SILVER = pl.Schema(SILVER_SCHEMA)


def card_transactions(events: pl.DataFrame) -> pl.DataFrame:
    """Card transactions in the form of `silver_transactions`.

    Reads:   concluded_card_events, account, card and device as tokens, with rate, merchant and branch looked up.
    Returns: one row per transaction.
    """
    return _of_one_form(
        events,
        CARD,
        card_token=pl.col("pan"),
        device_token=pl.col("device_id"),
        settlement_date=_date("settlement_date"),
    )


def atm_transactions(events: pl.DataFrame) -> pl.DataFrame:
    """Cash transactions in the form of `silver_transactions`; channel atm, merchant none.

    Reads:   concluded_atm_events, account and card as tokens, with rate and branch looked up.
    Returns: one row per transaction.
    """
    return _of_one_form(
        events,
        ATM,
        card_token=pl.col("pan"),
        channel=pl.lit(ATM),
        settlement_date=_date("settlement_date"),
    )


def wire_transactions(events: pl.DataFrame) -> pl.DataFrame:
    """Transfers in the form of `silver_transactions`, from the customer's side.

    Reads:   concluded_wire_events, accounts, names and device as tokens, with rate and branch looked up.
    Returns: one row per transfer; one between two customers is the payer's. country: the other account's.
             settlement_date: the value date.
    Rules:   what the payer wrote as its purpose is left out: free text can hold names.
    """
    return _of_one_form(
        events,
        WIRE,
        counterparty_token=pl.col("counterparty_account"),
        counterparty_name_token=pl.col("counterparty_name"),
        device_token=pl.col("device_id"),
        channel=pl.lit(WIRE),
        country=pl.col("counterparty_country"),
        settlement_date=_date("value_date"),
    )


def silver_transactions(transactions: pl.DataFrame) -> pl.DataFrame:
    """Silver: every concluded transaction of the bank, once, in the base currency, nobody named in it.

    Reads:   card_transactions, atm_transactions, wire_transactions.
    Returns: one row per transaction. amount in `currency`; amount_base = amount x fx_rate, rounded half up, in
             BASE_CURRENCY, above 0 whichever way the money goes; direction: in or out of the customer's account;
             original_transaction_id: what a reversal, refund or chargeback undoes; status posted or declined.
    Rules:   txn_ts is when it was initiated, however late it was concluded; txn_day is its day. The rate is the one
             that held at txn_ts; merchant and branch as of txn_ts. Rules of quality decide which rows there are: see
             configs/quality/bank.yml.
    """
    return transactions


def _of_one_form(events: pl.DataFrame, feed: str, **columns: pl.Expr) -> pl.DataFrame:
    """Rows of `SILVER_SCHEMA` and the trace: `columns`, else the event's own of that name, else null."""
    par = pl.col("currency") == BASE_CURRENCY
    given = {
        "feed": pl.lit(feed),
        "account_token": pl.col("account_number"),
        "internal": pl.col("internal") if "internal" in events.columns else pl.lit(False),
        "direction": pl.when(pl.col("transaction_type").is_in(_PAYS_OUT))
        .then(pl.lit(OUT))
        .otherwise(pl.lit(IN)),
        "txn_day": pl.col("txn_ts").dt.date(),
        "lat": pl.col("lat").round(_PLACE_DIGITS) if "lat" in events.columns else pl.lit(None),
        "lon": pl.col("lon").round(_PLACE_DIGITS) if "lon" in events.columns else pl.lit(None),
        "amount": amount_of(pl.col("amount")),
        "fx_rate": pl.when(par).then(pl.lit(1)).otherwise("fx_rate"),
        "fx_source": pl.when(par).then(pl.lit(AT_PAR)).otherwise("fx_source"),
        "status": pl.when(pl.col("event_type") == SETTLED).then(pl.lit(POSTED)).otherwise(pl.lit(DECLINED)),
        **columns,
    }
    rows = events.select(
        given.get(name, pl.col(name) if name in events.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in _SILVER.items()
        if name != "amount_base"
    )
    base = rows.select(in_base(pl.col("amount"), pl.col("fx_rate")).alias("amount_base")).to_series()
    return rows.with_columns(base, *(events[name] for name in TRACE)).select(*_SILVER, *TRACE)


def _date(column: str) -> pl.Expr:
    return pl.col(column).str.to_date("%Y-%m-%d", strict=False)


_RATE_THEN = Lookup(
    schema="simulator",
    table="exchange_rates",
    on={"currency": "currency"},
    brings={"fx_rate": ("rate", RATE), "fx_source": ("source", pa.string())},
    at="txn_ts",
    valid_from="valid_from",
)
_MERCHANT_THEN = Lookup(
    schema="simulator",
    table="merchants",
    on={"merchant_id": "merchant_id"},
    brings={"merchant_category": ("category", pa.string()), "merchant_risk": ("risk", pa.float64())},
    at="txn_ts",
    valid_from="valid_from",
)
_BRANCH = Lookup(
    schema="simulator",
    table="branches",
    on={"branch_id": "branch_id"},
    brings={"branch_city": ("city", pa.string())},
)
_SAMPLE = (
    "transaction_id",
    "feed",
    "transaction_type",
    "txn_ts",
    "settlement_date",
    "merchant_id",
    "branch_id",
    "amount",
    "currency",
    "fx_rate",
    "status",
)
_ACCOUNT, _CARD, _DEVICE = str(Domain.ACCOUNT), str(Domain.CARD), str(Domain.DEVICE)
_TRACED = pa.schema([*SILVER_SCHEMA, (TRACE[0], pa.string()), (TRACE[1], pa.int64())])

CARD_TRANSACTIONS = Table(
    name="card_transactions",
    reads=CONCLUDED_CARD.name,
    grain="one row per card transaction",
    schema=_TRACED,
    update=View(),
    transform=card_transactions,
    lookups=(_RATE_THEN, _MERCHANT_THEN, _BRANCH),
    tokens={"account_number": _ACCOUNT, "pan": _CARD, "device_id": _DEVICE},
    samples=_SAMPLE,
)
ATM_TRANSACTIONS = Table(
    name="atm_transactions",
    reads=CONCLUDED_ATM.name,
    grain="one row per cash transaction",
    schema=_TRACED,
    update=View(),
    transform=atm_transactions,
    lookups=(_RATE_THEN, _BRANCH),
    tokens={"account_number": _ACCOUNT, "pan": _CARD},
    samples=_SAMPLE,
)
WIRE_TRANSACTIONS = Table(
    name="wire_transactions",
    reads=CONCLUDED_WIRE.name,
    grain="one row per transfer",
    schema=_TRACED,
    update=View(),
    transform=wire_transactions,
    lookups=(_RATE_THEN, _BRANCH),
    tokens={
        **dict.fromkeys(
            ("account_number", "payer_account", "payee_account", "counterparty_account"), _ACCOUNT
        ),
        **dict.fromkeys(("payer_name", "payee_name", "counterparty_name"), str(Domain.NAME)),
        "device_id": _DEVICE,
    },
    samples=_SAMPLE,
)
SILVER_TRANSACTIONS = Table(
    name="silver_transactions",
    reads=(CARD_TRANSACTIONS.name, ATM_TRANSACTIONS.name, WIRE_TRANSACTIONS.name),
    grain="one row per concluded transaction",
    schema=SILVER_SCHEMA,
    update=Append(),
    transform=silver_transactions,
    partition_by=("txn_day",),
    stats=("txn_ts", KNOWN),
    samples=_SAMPLE,
    change_feed=True,
)
FEED_TRANSACTIONS = (CARD_TRANSACTIONS, ATM_TRANSACTIONS, WIRE_TRANSACTIONS)
