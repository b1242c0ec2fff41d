"""Gold that a customer's usual behaviour is read from: an account's days, and whom and what it dealt with."""

from __future__ import annotations

from functools import cache

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import ATM, HOME_COUNTRY, POSTED, WIRE
from casper_ray.lakehouse.histogram import bucket_names, bucket_of
from casper_ray.medallion.bank.form import IN, OUT
from casper_ray.medallion.bank.measures import counted, sides, worth
from casper_ray.medallion.bank.money import MONEY, from_units, units
from casper_ray.medallion.bank.source import TIMESTAMP
from casper_ray.medallion.bank.transactions import SILVER_TRANSACTIONS
from casper_ray.medallion.columns import KNOWN
from casper_ray.medallion.declare import Merge, Table

NIGHT_FROM, NIGHT_TO = 22, 4
"""Hours, UTC, between which most card fraud is (Sparkov)."""
SQUARED = pa.decimal128(38, 4)
_NO_TIME = pl.lit(None, pl.Datetime("us", "UTC"))


def account_days(transactions: pl.DataFrame) -> pl.DataFrame:
    """What an account did, by the day on which it became known.

    Reads:   silver_transactions, both sides of a transfer between customers.
    Returns: one row per account and day: counts of posted transactions, in, out, and of those out: at night
             (22:00 to 04:00 UTC), abroad, online, cash, transfers; declined, whichever way; amount_in, amount_out;
             amount_out_squared, the sum of squares (of BASE_CURRENCY, squared, exact); amount_out_max; cash_out,
             transfers_out, amounts; hist_00 to hist_41, how many of those out were of which amount, see `histogram`;
             first_ts, last_ts, of txn_ts of what was posted. Amounts in BASE_CURRENCY.
    Rules:   day is the day of _known_ts, not of txn_ts: rows of the days before a day hold nothing that could not
             have been known on it, so features as of a day are sums over the days before. A transfer keyed in after
             the cut-off belongs to the next day, when its file came.
    """
    out = (pl.col("status") == POSTED) & (pl.col("direction") == OUT)
    bucket = pl.when(out).then(bucket_of(units(pl.col("amount_base"))))
    return sides(transactions).with_columns(bucket.alias("_bucket")).select(*_account_day())


@cache
def _account_day() -> tuple[pl.Expr | str, ...]:
    """The columns of `account_days`: a hundred expressions, and every block is made with the same ones."""
    posted = pl.col("status") == POSTED
    out, way_in = posted & (pl.col("direction") == OUT), posted & (pl.col("direction") == IN)
    hour = pl.col("txn_ts").dt.hour()
    cash, transfer = out & (pl.col("feed") == ATM), out & (pl.col("feed") == WIRE)
    return (
        "account_token",
        pl.col(KNOWN).dt.date().alias("day"),
        counted(posted).alias("transactions"),
        counted(way_in).alias("transactions_in"),
        counted(out).alias("transactions_out"),
        counted(out & ((hour >= NIGHT_FROM) | (hour < NIGHT_TO))).alias("at_night"),
        counted(out & (pl.col("country") != HOME_COUNTRY)).alias("abroad"),
        counted(out & (pl.col("channel") == "online")).alias("online"),
        counted(cash).alias("cash"),
        counted(transfer).alias("transfers"),
        counted(~posted).alias("declined"),
        worth(way_in).alias("amount_in"),
        worth(out).alias("amount_out"),
        worth(cash).alias("cash_out"),
        worth(transfer).alias("transfers_out"),
        from_units(units(worth(out)) ** 2, 4, 38).alias("amount_out_squared"),
        pl.when(out).then("amount_base").alias("amount_out_max"),
        pl.when(posted).then("txn_ts").otherwise(_NO_TIME).alias("first_ts"),
        pl.when(posted).then("txn_ts").otherwise(_NO_TIME).alias("last_ts"),
        *(
            counted(pl.col("_bucket") == place, pl.Int32()).alias(name)
            for place, name in enumerate(bucket_names())
        ),
    )


def account_links(transactions: pl.DataFrame) -> pl.DataFrame:
    """Whom and what an account dealt with, by the day on which it became known.

    Reads:   silver_transactions, posted ones, both sides of a transfer between customers.
    Returns: one row per account, kind (payee: of transfers out; payer: of transfers in; device; country), the other
             (a token, or a country's code) and day: transactions, amount in BASE_CURRENCY.
    Rules:   day as in gold_customer_features. What is new on a day has no row of a day before; how many different
             there are is how many there are different rows.
    """
    posted = sides(transactions).filter(pl.col("status") == POSTED)
    transfer, out = pl.col("feed") == WIRE, pl.col("direction") == OUT
    others = {
        "payee": pl.when(transfer & out).then("counterparty_token"),
        "payer": pl.when(transfer & ~out).then("counterparty_token"),
        "device": pl.when(out).then("device_token"),
        "country": pl.when(out).then("country"),
    }
    parts = [
        posted.select(
            "account_token",
            pl.lit(kind).alias("kind"),
            other.alias("other"),
            pl.col(KNOWN).dt.date().alias("day"),
            pl.lit(1, pl.Int64).alias("transactions"),
            pl.col("amount_base").alias("amount"),
        ).drop_nulls("other")
        for kind, other in others.items()
    ]
    return pl.concat(parts)


_COUNTS = (
    "transactions",
    "transactions_in",
    "transactions_out",
    "at_night",
    "abroad",
    "online",
    "cash",
    "transfers",
    "declined",
)
_AMOUNTS = ("amount_in", "amount_out", "cash_out", "transfers_out")

GOLD_CUSTOMER_FEATURES = Table(
    name="gold_customer_features",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per customer's account and day on which something of it became known",
    schema=pa.schema(
        [
            ("account_token", pa.string()),
            ("day", pa.date32()),
            *((name, pa.int64()) for name in _COUNTS),
            *((name, MONEY) for name in _AMOUNTS),
            ("amount_out_squared", SQUARED),
            ("amount_out_max", MONEY),
            ("first_ts", TIMESTAMP),
            ("last_ts", TIMESTAMP),
            *((name, pa.int32()) for name in bucket_names()),
        ]
    ),
    update=Merge(
        keys=("account_token", "day"),
        sums=(*_COUNTS, *_AMOUNTS, "amount_out_squared", *bucket_names()),
        lowest=("first_ts",),
        highest=("amount_out_max", "last_ts"),
        segment="day",
    ),
    transform=account_days,
    change_feed=True,
    partition_by=("day",),
)

GOLD_ACCOUNT_LINKS = Table(
    name="gold_account_links",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per account, kind, other side and day on which it became known",
    schema=pa.schema(
        [
            ("account_token", pa.string()),
            ("kind", pa.string()),
            ("other", pa.string()),
            ("day", pa.date32()),
            ("transactions", pa.int64()),
            ("amount", MONEY),
        ]
    ),
    update=Merge(
        keys=("account_token", "kind", "other", "day"), sums=("transactions", "amount"), segment="day"
    ),
    transform=account_links,
    change_feed=True,
    partition_by=("day",),
)
