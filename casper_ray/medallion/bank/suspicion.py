"""Gold of what is suspicious: transactions and days that declared rules flag, and risk by region and hour."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import CHARGEBACK, DECLINED
from casper_ray.medallion.bank.form import SILVER_SCHEMA
from casper_ray.medallion.bank.measures import counted, sides
from casper_ray.medallion.bank.money import MONEY
from casper_ray.medallion.bank.rules import SUBJECTS, bank_rules, flagged, holding, reason_codes
from casper_ray.medallion.bank.source import TIMESTAMP
from casper_ray.medallion.bank.transactions import SILVER_TRANSACTIONS
from casper_ray.medallion.columns import KNOWN
from casper_ray.medallion.declare import Append, Merge, Table, View

UNKNOWN = "unknown"
_SHOWN = (
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


def scored_transactions(transactions: pl.DataFrame) -> pl.DataFrame:
    """Silver's transactions, each with the rules that flag it as bits and their points as its risk score.

    Reads:   silver_transactions. Returns: one row per transaction.
    """
    return flagged(transactions.select(SILVER_SCHEMA.names), bank_rules())


def suspicious_activity(scored: pl.DataFrame) -> pl.DataFrame:
    """The transactions that a rule of configs/rules/bank.yml flags, with reason codes.

    Reads:   scored_transactions.
    Returns: one row per flagged transaction, declined ones too; amount_base in BASE_CURRENCY; reason_codes in the
             rules' order, at least one; risk_score, the sum of their points (the more, the worse; not a chance).
    Rules:   each transaction by itself; what takes several of a day is in gold_suspicious_days.
    """
    found = scored.filter(pl.col("flags") != 0)
    return found.select(*_SHOWN, reason_codes(bank_rules()).alias("reason_codes"), "risk_score", KNOWN)


def suspicious_day_counts(transactions: pl.DataFrame) -> pl.DataFrame:
    """What the day rules of configs/rules/bank.yml count: transactions and their amount by account, card or merchant.

    Reads:   silver_transactions.
    Returns: one row per day, rule and subject_id (a token, or a merchant's id) with a transaction that the rule
             counts; amount in BASE_CURRENCY; first_ts and last_ts of what was counted; flagged: whether it comes
             to what the rule asks for; points of the rule where it does, else 0.
    Rules:   day is the day of txn_ts, UTC. Rows below a rule's threshold stay, not flagged: a later batch adds to
             them. A transfer between two customers is a row of either account.
    """
    both = sides(transactions.select(SILVER_SCHEMA.names))
    parts = [
        both.filter(holding(rule.where) & pl.col(SUBJECTS[rule.by]).is_not_null()).select(
            pl.col("txn_day").alias("day"),
            pl.lit(rule.code).alias("code"),
            pl.lit(rule.by).alias("subject"),
            pl.col(SUBJECTS[rule.by]).alias("subject_id"),
            pl.lit(1, pl.Int64).alias("transactions"),
            pl.col("amount_base").alias("amount"),
            pl.col("txn_ts").alias("first_ts"),
            pl.col("txn_ts").alias("last_ts"),
        )
        for rule in bank_rules().days
    ]
    return pl.concat([pl.DataFrame(schema=_COUNTED), *parts])


def with_thresholds(counts: pl.DataFrame) -> pl.DataFrame:
    """The counts with what the rules make of them."""
    reached, points = pl.lit(False), pl.lit(0, pl.Int64)
    for rule in bank_rules().days:
        mine = pl.col("code") == rule.code
        enough = pl.lit(rule.amount_at_least, pl.Decimal(18, 2))
        reached |= mine & (pl.col("transactions") >= rule.at_least) & (pl.col("amount") >= enough)
        points = pl.when(mine).then(pl.lit(rule.points, pl.Int64)).otherwise(points)
    return counts.with_columns(reached.alias("flagged"), (reached * points).cast(pl.Int64).alias("points"))


def risk_hours(scored: pl.DataFrame) -> pl.DataFrame:
    """The risk of a region's hour: transactions, flagged, declined, charged back, points.

    Reads:   scored_transactions.
    Returns: one row per region (the city of the branch that keeps the account, `unknown` where there is none) and
             hour of txn_ts, UTC. risk_score: points of all transactions of the hour; divided by `transactions`,
             what an average one carries. flagged_amount in BASE_CURRENCY.
    """
    hit = pl.col("flags") != 0
    return scored.select(
        pl.col("branch_city").fill_null(UNKNOWN).alias("region"),
        pl.col("txn_ts").dt.truncate("1h").alias("hour_ts"),
        pl.lit(1, pl.Int64).alias("transactions"),
        counted(hit).alias("flagged"),
        counted(pl.col("status") == DECLINED).alias("declined"),
        counted(pl.col("transaction_type") == CHARGEBACK).alias("charged_back"),
        "risk_score",
        pl.when(hit).then("amount_base").otherwise(pl.lit(0, pl.Decimal(18, 2))).alias("flagged_amount"),
    )


SCORED_TRANSACTIONS = Table(
    name="scored_transactions",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per concluded transaction",
    schema=pa.schema([*SILVER_SCHEMA, ("flags", pa.int64()), ("risk_score", pa.int64())]),
    update=View(),
    transform=scored_transactions,
)

GOLD_SUSPICIOUS_ACTIVITY = Table(
    name="gold_suspicious_activity",
    reads=SCORED_TRANSACTIONS.name,
    grain="one row per flagged transaction",
    schema=pa.schema(
        [
            *(SILVER_SCHEMA.field(name) for name in _SHOWN),
            ("reason_codes", pa.list_(pa.string())),
            ("risk_score", pa.int64()),
            SILVER_SCHEMA.field(KNOWN),
        ]
    ),
    update=Append(),
    transform=suspicious_activity,
    change_feed=True,
    stats=("txn_ts", KNOWN),
)

_DAYS = pa.schema(
    [
        ("day", pa.date32()),
        ("code", pa.string()),
        ("subject", pa.string()),
        ("subject_id", pa.string()),
        ("transactions", pa.int64()),
        ("amount", MONEY),
        ("first_ts", TIMESTAMP),
        ("last_ts", TIMESTAMP),
    ]
)
_COUNTED = pl.Schema(_DAYS)

GOLD_SUSPICIOUS_DAYS = Table(
    name="gold_suspicious_days",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per day, rule and account, card or merchant",
    schema=pa.schema([*_DAYS, ("flagged", pa.bool_()), ("points", pa.int64())]),
    update=Merge(
        keys=("day", "code", "subject", "subject_id"),
        sums=("transactions", "amount"),
        lowest=("first_ts",),
        highest=("last_ts",),
        segment="day",
        finish=with_thresholds,
    ),
    transform=suspicious_day_counts,
    change_feed=True,
    partition_by=("day",),
)

_RISK_SUMS = ("transactions", "flagged", "declined", "charged_back", "risk_score")

GOLD_FRAUD_RISK_HOURLY = Table(
    name="gold_fraud_risk_hourly",
    reads=SCORED_TRANSACTIONS.name,
    grain="one row per region and hour with a transaction",
    schema=pa.schema(
        [
            ("region", pa.string()),
            ("hour_ts", TIMESTAMP),
            *((name, pa.int64()) for name in _RISK_SUMS),
            ("flagged_amount", MONEY),
        ]
    ),
    update=Merge(keys=("region", "hour_ts"), sums=(*_RISK_SUMS, "flagged_amount"), segment="hour_ts"),
    transform=risk_hours,
    change_feed=True,
    stats=("hour_ts",),
)
