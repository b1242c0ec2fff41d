"""The bank's Silver with Spark: transactions of three feeds in one form, and customers with their history."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from bank_spark_tokens import Tokens
from bank_tables import BASE_CURRENCY, BEGUN, CONCLUDING, LIMITS, PAYS_OUT
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as fn

from casper_ray.domain.bank import ATM, CARD, CUSTOMER_FIELDS, WIRE

MONEY, RATE = "decimal(18,2)", "decimal(18,8)"
_IMAGE = ", ".join(f"{name} {'bigint' if name == 'devices' else 'string'}" for name in CUSTOMER_FIELDS)
_KEPT = ("country", "income_band", "segment", "branch_id")
_COLUMNS = {
    "transaction_id": "string",
    "feed": "string",
    "transaction_type": "string",
    "original_transaction_id": "string",
    "account": "string",
    "card": "string",
    "card_type": "string",
    "counterparty": "string",
    "counterparty_name": "string",
    "counterparty_bank": "string",
    "internal": "boolean",
    "txn_ts": "timestamp",
    "settlement_date": "date",
    "merchant_id": "string",
    "mcc": "string",
    "country": "string",
    "channel": "string",
    "branch_id": "string",
    "device": "string",
    "lat": "double",
    "lon": "double",
    "amount": MONEY,
    "currency": "string",
    "status": "string",
    "auth_result": "string",
    "_known_ts": "timestamp",
}


def silver_transactions(
    feeds: dict[str, DataFrame], dimensions: dict[str, DataFrame], tokens: Tokens
) -> DataFrame:
    """One row per concluded transaction: tokens, rate and merchant as of it, base currency."""
    forms = [_of_one_form(events, feed) for feed, events in feeds.items()]
    rates, merchants = (
        _stretches(dimensions[name], key)
        for name, key in (("exchange_rates", "currency"), ("merchants", "merchant_id"))
    )
    rates = rates.select("currency", "since", "until", "rate", "source")
    merchants = merchants.select(
        "merchant_id",
        "since",
        "until",
        fn.col("category").alias("merchant_category"),
        fn.col("risk").alias("merchant_risk"),
    )
    branches = dimensions["branches"].select("branch_id", fn.col("city").alias("branch_city"))
    rows = _as_of(reduce(DataFrame.union, forms), rates, "currency")
    rows = _as_of(rows, merchants, "merchant_id").join(fn.broadcast(branches), "branch_id", "left")
    par = fn.col("currency") == BASE_CURRENCY
    rate = fn.when(par, fn.lit(1)).otherwise(fn.col("rate")).cast(RATE)
    return rows.select(
        "transaction_id",
        "feed",
        "transaction_type",
        "original_transaction_id",
        tokens.account(fn.col("account")).alias("account_token"),
        tokens.card(fn.col("card")).alias("card_token"),
        "card_type",
        tokens.account(fn.col("counterparty")).alias("counterparty_token"),
        tokens.name(fn.col("counterparty_name")).alias("counterparty_name_token"),
        "counterparty_bank",
        "internal",
        fn.when(fn.col("transaction_type").isin(*PAYS_OUT), "out").otherwise("in").alias("direction"),
        "txn_ts",
        fn.to_date("txn_ts").alias("txn_day"),
        "settlement_date",
        "merchant_id",
        "mcc",
        "merchant_category",
        "merchant_risk",
        "country",
        "channel",
        "branch_id",
        "branch_city",
        tokens.opaque("dev", fn.col("device")).alias("device_token"),
        # As polars rounds: half to even, of the product.
        *((fn.rint(fn.col(axis) * 100) / 100).alias(axis) for axis in ("lat", "lon")),
        "amount",
        "currency",
        rate.alias("fx_rate"),
        fn.when(par, "at par").otherwise(fn.col("source")).alias("fx_source"),
        fn.round(fn.col("amount") * rate, 2).cast(MONEY).alias("amount_base"),
        "status",
        "auth_result",
        "_known_ts",
    )


def _of_one_form(events: DataFrame, feed: str) -> DataFrame:
    known = fn.col("ts").cast("timestamp")
    own = {
        "feed": fn.lit(feed),
        "_known_ts": known,
        "txn_ts": fn.coalesce(fn.col(BEGUN[feed]).cast("timestamp"), known),
        "internal": fn.lit(False),
        "status": fn.when(fn.col("event_type") == CONCLUDING[0], "posted").otherwise("declined"),
        "account": fn.col("account_number") if feed != WIRE else None,
        "card": fn.col("pan") if feed != WIRE else None,
        "channel": fn.col("channel") if feed == CARD else fn.lit(ATM),
        "device": fn.col("device_id") if feed != ATM else None,
    }
    if feed == WIRE:
        own |= _wire_columns()
    told = set(events.columns)
    return events.where(fn.col("event_type").isin(*CONCLUDING)).select(
        *(
            (
                found
                if (found := own.get(name)) is not None
                else fn.col(name)
                if name in told
                else fn.lit(None)
            )
            .cast(kind)
            .alias(name)
            for name, kind in _COLUMNS.items()
        )
    )


def _wire_columns() -> dict[str, Column]:
    incoming = fn.col("direction") == "incoming"

    def side(what: str, ours: bool) -> Column:
        first, second = ("payee", "payer") if ours else ("payer", "payee")
        return fn.when(incoming, fn.col(f"{first}_{what}")).otherwise(fn.col(f"{second}_{what}"))

    return {
        "account": side("account", ours=True),
        "counterparty": side("account", ours=False),
        "counterparty_name": side("name", ours=False),
        "counterparty_bank": side("bank", ours=False),
        "country": fn.substring(side("account", ours=False), 1, 2),
        "internal": fn.col("direction") == "internal",
        "settlement_date": fn.col("value_date"),
        "channel": fn.lit(WIRE),
    }


def _stretches(history: DataFrame, key: str) -> DataFrame:
    """A dimension's rows with `since` and `until`, from and to which each held."""
    until = fn.lead("valid_from").over(Window.partitionBy(key).orderBy("valid_from"))
    ever = fn.lit("9999-01-01").cast("timestamp")
    return history.withColumn("since", fn.col("valid_from")).withColumn("until", fn.coalesce(until, ever))


def _as_of(rows: DataFrame, stretches: DataFrame, key: str) -> DataFrame:
    """The rows with what held at txn_ts: a join by key and range with the small side at every task."""
    right = fn.broadcast(stretches.withColumnRenamed(key, "_key"))
    held = (
        (fn.col(key) == fn.col("_key"))
        & (fn.col("txn_ts") >= fn.col("since"))
        & (fn.col("txn_ts") < fn.col("until"))
    )
    return rows.join(right, held, "left").drop("_key", "since", "until")


def silver_customers(changes: DataFrame, tokens: Tokens) -> DataFrame:
    """One row per customer and version, with what follows from the others; a batch, for it looks ahead."""
    image = fn.from_json("after", _IMAGE)
    rows = changes.select("op", "customer_id", "lsn", "_known_ts", image.alias("after"))
    after = {name: fn.col(f"after.{name}") for name in CUSTOMER_FIELDS}
    name = fn.concat(after["given_name"], fn.lit(" "), after["family_name"])
    address = fn.concat(after["street"], fn.lit(", "), after["city"])
    versions = Window.partitionBy("customer_id").orderBy("lsn")
    following = fn.lead("_known_ts").over(versions)
    deleted = fn.col("op") == "delete"
    return rows.select(
        fn.substring("customer_id", 1, 7).alias("bucket"),
        "customer_id",
        "lsn",
        "op",
        fn.col("_known_ts").alias("valid_from"),
        following.alias("valid_to"),
        (following.isNull() & ~deleted).alias("is_current"),
        deleted.alias("deleted"),
        (fn.row_number().over(versions) == fn.col("lsn")).alias("complete"),
        tokens.account(after["account_number"]).alias("account_token"),
        tokens.account(after["credit_account"]).alias("credit_account_token"),
        tokens.name(name).alias("name_token"),
        tokens.opaque("dob", after["birth_date"]).alias("birth_date_token"),
        tokens.address(address).alias("address_token"),
        tokens.phone(after["phone"]).alias("phone_token"),
        tokens.opaque("dev", after["device_id"]).alias("device_token"),
        tokens.sealed("nam", name).alias("name_sealed"),
        tokens.sealed("tel", after["phone"]).alias("phone_sealed"),
        *(after[kept].alias(kept) for kept in _KEPT),
        after["devices"].alias("devices"),
        *(after[limit].cast(MONEY).alias(limit) for limit in LIMITS),
        "_known_ts",
    )


def read_dimensions(spark: SparkSession, volume: Path) -> dict[str, DataFrame]:
    """The dimensions' rows by name."""
    return {file.stem: spark.read.parquet(str(file)) for file in sorted((volume / "dimensions").iterdir())}
