"""The bank's Silver with polars: transactions of three feeds in one form, and customers with their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from bank_tables import BASE_CURRENCY, BEGUN, LIMITS, PAYS_OUT

from casper_ray.domain.bank import ATM, CARD, CUSTOMER_FIELDS, WIRE
from casper_ray.security.domains import Domain
from casper_ray.security.keys import KeyRing
from casper_ray.security.tokens import Tokeniser
from casper_ray.security.vault import Vault

MONEY = pl.Decimal(18, 2)
RATE = pl.Decimal(18, 8)
_IMAGE = pl.Struct({name: pl.Int64 if name == "devices" else pl.String for name in CUSTOMER_FIELDS})
_TRANSACTION_TOKENS = {
    "account_token": Domain.ACCOUNT,
    "card_token": Domain.CARD,
    "counterparty_token": Domain.ACCOUNT,
    "counterparty_name_token": Domain.NAME,
    "device_token": Domain.DEVICE,
}
_CUSTOMER_TOKENS = {
    "account_token": ("account_number", Domain.ACCOUNT),
    "credit_account_token": ("credit_account", Domain.ACCOUNT),
    "name_token": ("full_name", Domain.NAME),
    "birth_date_token": ("birth_date", Domain.BIRTH_DATE),
    "address_token": ("address", Domain.ADDRESS),
    "phone_token": ("phone", Domain.PHONE),
    "device_token": ("device_id", Domain.DEVICE),
}
_SEALED = {"name_sealed": ("full_name", Domain.NAME), "phone_sealed": ("phone", Domain.PHONE)}
_KEPT = ("country", "income_band", "segment", "branch_id")
_ORDER = (
    "transaction_id",
    "feed",
    "transaction_type",
    "original_transaction_id",
    "account_token",
    "card_token",
    "card_type",
    "counterparty_token",
    "counterparty_name_token",
    "counterparty_bank",
    "internal",
    "direction",
    "txn_ts",
    "txn_day",
    "settlement_date",
    "merchant_id",
    "mcc",
    "merchant_category",
    "merchant_risk",
    "country",
    "channel",
    "branch_id",
    "branch_city",
    "device_token",
    "lat",
    "lon",
    "amount",
    "currency",
    "fx_rate",
    "fx_source",
    "amount_base",
    "status",
    "auth_result",
    "_known_ts",
)


_NOT_KEPT = ("event_id", "event_type", "ts", "initiated_ts")


def of_one_form(concluded: pl.LazyFrame, feed: str) -> pl.LazyFrame:
    """Concluded events of a feed, named as in Silver; what is to be a token still as it was told."""
    begun = pl.col(BEGUN[feed]).str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="us", time_zone="UTC")
    shared = {
        "feed": pl.lit(feed),
        "internal": pl.lit(False),
        "txn_ts": pl.coalesce(begun, "_known_ts"),
        "status": pl.when(pl.col("event_type") == "transaction_settled")
        .then(pl.lit("posted"))
        .otherwise(pl.lit("declined")),
        "amount": pl.col("amount").cast(MONEY),
    }
    named = concluded.with_columns(**shared)
    if feed == WIRE:
        return _wires(named)
    place = [(pl.col(axis).round(2)).alias(axis) for axis in ("lat", "lon")]
    told = named.rename({"account_number": "account_token", "pan": "card_token"}).with_columns(
        *place, pl.col("settlement_date").str.to_date("%Y-%m-%d")
    )
    if feed == CARD:
        return told.rename({"device_id": "device_token"}).drop(_NOT_KEPT)
    return told.with_columns(channel=pl.lit(ATM)).drop(*_NOT_KEPT, "atm_id")


def _wires(named: pl.LazyFrame) -> pl.LazyFrame:
    incoming = pl.col("direction") == "incoming"

    def side(what: str, name: str, ours: bool = False) -> pl.Expr:
        payee, payer = pl.col(f"payee_{what}"), pl.col(f"payer_{what}")
        first, second = (payee, payer) if ours else (payer, payee)
        return pl.when(incoming).then(first).otherwise(second).alias(name)

    return named.select(
        "transaction_id",
        "transaction_type",
        "original_transaction_id",
        "feed",
        "status",
        "amount",
        "currency",
        "branch_id",
        "auth_result",
        "_known_ts",
        pl.col("device_id").alias("device_token"),
        (pl.col("direction") == "internal").alias("internal"),
        side("account", "account_token", ours=True),
        side("account", "counterparty_token"),
        side("name", "counterparty_name_token"),
        side("bank", "counterparty_bank"),
        side("account", "country").str.head(2),
        pl.lit(WIRE).alias("channel"),
        "txn_ts",
        pl.col("value_date").str.to_date("%Y-%m-%d").alias("settlement_date"),
    )


def silver_transactions(
    parts: Sequence[pl.DataFrame], dimensions: Mapping[str, pl.DataFrame], keys: KeyRing
) -> pl.DataFrame:
    """One row per concluded transaction, sorted by txn_ts: tokens, rate and merchant as of it, base currency."""
    tokeniser = Tokeniser(keys)
    rows = pl.concat(parts, how="diagonal").sort("txn_ts")
    rows = rows.with_columns(
        tokeniser.tokens(domain, rows[name]) for name, domain in _TRANSACTION_TOKENS.items()
    )
    rates, merchants = (dimensions[name].sort("valid_from") for name in ("exchange_rates", "merchants"))
    par = pl.col("currency") == BASE_CURRENCY
    cents, rate = (pl.col(name).to_physical().cast(pl.Int128) for name in ("amount", "fx_rate"))
    base = ((cents * rate + 10**8 // 2) // 10**8).cast(pl.Decimal(38, 2)) / 100
    return (
        rows.lazy()
        .join_asof(
            rates.lazy().select("currency", "valid_from", fx_rate="rate", fx_source="source"),
            left_on="txn_ts",
            right_on="valid_from",
            by="currency",
            check_sortedness=False,
        )
        .drop("valid_from")
        .join_asof(
            merchants.lazy().select(
                "merchant_id", "valid_from", merchant_category="category", merchant_risk="risk"
            ),
            left_on="txn_ts",
            right_on="valid_from",
            by="merchant_id",
            check_sortedness=False,
        )
        .join(
            dimensions["branches"].lazy().select("branch_id", branch_city="city"),
            on="branch_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            pl.when(par).then(pl.lit(1)).otherwise("fx_rate").cast(RATE).alias("fx_rate"),
            pl.when(par).then(pl.lit("at par")).otherwise("fx_source").alias("fx_source"),
            pl.col("txn_ts").dt.date().alias("txn_day"),
            pl.when(pl.col("transaction_type").is_in(PAYS_OUT))
            .then(pl.lit("out"))
            .otherwise(pl.lit("in"))
            .alias("direction"),
        )
        .with_columns(base.cast(MONEY).alias("amount_base"))
        .select(_ORDER)
        .collect()
    )


def silver_customers(changes: pl.DataFrame, keys: KeyRing) -> pl.DataFrame:
    """One row per customer and version, with what follows from the others."""
    tokeniser, vault = Tokeniser(keys), Vault(keys)
    image = changes["after"].str.json_decode(_IMAGE).struct.unnest().drop("customer_id")
    together = {"full_name": ("given_name", "family_name", " "), "address": ("street", "city", ", ")}
    rows = changes.hstack(image).with_columns(
        pl.concat_str(first, second, separator=separator).alias(name)
        for name, (first, second, separator) in together.items()
    )
    hidden = [
        *(tokeniser.tokens(domain, rows[c]).alias(name) for name, (c, domain) in _CUSTOMER_TOKENS.items()),
        *(vault.sealed(domain, rows[c]).alias(name) for name, (c, domain) in _SEALED.items()),
    ]
    deleted = pl.col("op") == "delete"
    last = pl.col("lsn") == pl.col("lsn").max().over("customer_id")
    return (
        rows.with_columns(hidden)
        .lazy()
        .sort("customer_id", "lsn")
        .select(
            pl.col("customer_id").str.head(7).alias("bucket"),
            "customer_id",
            "lsn",
            "op",
            pl.col("_known_ts").alias("valid_from"),
            pl.col("_known_ts").shift(-1).over("customer_id").alias("valid_to"),
            (last & ~deleted).alias("is_current"),
            deleted.alias("deleted"),
            (pl.col("lsn").cum_count().over("customer_id") == pl.col("lsn")).alias("complete"),
            *_CUSTOMER_TOKENS,
            *_SEALED,
            *_KEPT,
            "devices",
            *(pl.col(limit).cast(MONEY) for limit in LIMITS),
            "_known_ts",
        )
        .collect()
    )
