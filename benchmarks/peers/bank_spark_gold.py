"""The bank's eight Gold tables with Spark."""

from __future__ import annotations

from functools import reduce
from operator import add

from bank_spark_finance import liquidity, pnl
from bank_spark_measures import MONEY, count, moved, status_is, worth
from bank_tables import (
    GIVEN_BACK,
    HISTOGRAM_EDGES,
    HOME_COUNTRY,
    SHOWN,
    WAYS,
    load_rules,
)
from pyspark.sql import DataFrame
from pyspark.sql import functions as fn

_col = fn.col


def gold_tables(transactions: DataFrame) -> dict[str, DataFrame]:
    """All eight."""
    arrived = transactions.where(_col("internal") & status_is("posted")).withColumns(
        {
            "account_token": _col("counterparty_token"),
            "counterparty_token": _col("account_token"),
            "direction": fn.lit("in"),
        }
    )
    sides = transactions.unionByName(arrived)
    scored = _scored(transactions)
    return {
        "gold_customer_features": _features(sides),
        "gold_daily_transaction_summary": _daily(sides),
        "gold_branch_performance": _branches(transactions),
        "gold_merchant_category_spend": _categories(transactions),
        "gold_liquidity_daily": liquidity(transactions),
        "gold_pnl_daily": pnl(transactions),
        "gold_fraud_risk_hourly": _risk(scored),
        "gold_suspicious_activity": _suspicious(scored),
    }


def _daily(sides: DataFrame) -> DataFrame:
    posted, out, way_in = status_is("posted"), moved("out"), moved("in")
    return sides.groupBy("account_token", _col("txn_day").alias("day")).agg(
        count(posted, "transactions"),
        count(way_in, "transactions_in"),
        count(out, "transactions_out"),
        *(count(posted & (_col("feed") == feed), f"transactions_{feed}") for feed in WAYS.values()),
        count(~posted, "declined"),
        worth(way_in, "amount_in"),
        worth(out, "amount_out"),
    )


def _branches(transactions: DataFrame) -> DataFrame:
    posted = status_is("posted")
    kinds = {
        name: posted & (_col("transaction_type") == kind)
        for name, kind in (("deposits", "deposit"), ("withdrawals", "withdrawal"))
    }
    return transactions.groupBy("branch_id", _col("txn_day").alias("day")).agg(
        count(posted, "transactions"),
        count(status_is("declined"), "declined"),
        *(count(holds, name) for name, holds in kinds.items()),
        worth(posted, "amount"),
        *(worth(holds, f"{name}_amount") for name, holds in kinds.items()),
    )


def _categories(transactions: DataFrame) -> DataFrame:
    bought, back = _col("transaction_type") == "purchase", _col("transaction_type").isin(*GIVEN_BACK)
    return (
        transactions.where((_col("feed") == "card") & status_is("posted"))
        .groupBy(
            fn.coalesce("merchant_category", fn.lit("unknown")).alias("merchant_category"),
            fn.trunc("txn_day", "month").alias("month"),
        )
        .agg(
            count(bought, "purchases"),
            count(back, "given_back"),
            worth(bought, "spend"),
            worth(back, "given_back_amount"),
        )
        .withColumn("net_spend", (_col("spend") - _col("given_back_amount")).cast(MONEY))
    )


def _features(sides: DataFrame) -> DataFrame:
    posted, out, way_in = status_is("posted"), moved("out"), moved("in")
    hour, amount = fn.hour("txn_ts"), _col("amount_base")
    cash, transfer = out & (_col("feed") == "atm"), out & (_col("feed") == "wire")
    edges = fn.array(*(fn.lit(edge) for edge in (0, *HISTOGRAM_EDGES)))
    # The logarithm is right but for what lies at an edge; the table of edges says which side.
    near = fn.greatest(fn.lit(0), fn.least(fn.lit(40), fn.floor(fn.log10(amount.cast("double")) * 8))).cast(
        "int"
    )
    cents = (amount * 100).cast("long")
    above = fn.when(cents >= edges[near + 1], near + 1).otherwise(near)
    bucket = fn.when((near < 40) & (cents >= edges[fn.least(near + 2, fn.lit(41))]), near + 2).otherwise(
        above
    )
    squared = fn.when(out, amount * amount).otherwise(fn.lit(0).cast("decimal(37,4)"))
    return (
        sides.withColumn("bucket", fn.when(out, bucket))
        .groupBy("account_token", fn.to_date("_known_ts").alias("day"))
        .agg(
            count(posted, "transactions"),
            count(way_in, "transactions_in"),
            count(out, "transactions_out"),
            count(out & ((hour >= 22) | (hour < 4)), "at_night"),
            count(out & (_col("country") != HOME_COUNTRY), "abroad"),
            count(out & (_col("channel") == "online"), "online"),
            count(cash, "cash"),
            count(transfer, "transfers"),
            count(~posted, "declined"),
            worth(way_in, "amount_in"),
            worth(out, "amount_out"),
            worth(cash, "cash_out"),
            worth(transfer, "transfers_out"),
            fn.sum(squared).cast("decimal(38,4)").alias("amount_out_squared"),
            fn.max(fn.when(out, amount)).alias("amount_out_max"),
            fn.min(fn.when(posted, _col("txn_ts"))).alias("first_ts"),
            fn.max(fn.when(posted, _col("txn_ts"))).alias("last_ts"),
            *(
                fn.count_if(_col("bucket") == place).cast("int").alias(f"hist_{place:02d}")
                for place in range(len(HISTOGRAM_EDGES) + 1)
            ),
        )
    )


def _scored(transactions: DataFrame) -> DataFrame:
    """The transactions with the codes of the rules that hold, and their points."""
    rules = load_rules()
    held = [(rule, fn.coalesce(fn.expr(rule["sql"]), fn.lit(False))) for rule in rules]
    codes = fn.array_compact(fn.array(*(fn.when(holds, rule["code"]) for rule, holds in held)))
    points = reduce(add, (fn.when(holds, rule["points"]).otherwise(0) for rule, holds in held))
    return transactions.withColumns({"reason_codes": codes, "risk_score": points.cast("long")})


def _risk(scored: DataFrame) -> DataFrame:
    hit = _col("risk_score") > 0
    return scored.groupBy(
        fn.coalesce("branch_city", fn.lit("unknown")).alias("region"),
        fn.date_trunc("hour", "txn_ts").alias("hour_ts"),
    ).agg(
        fn.count("*").alias("transactions"),
        count(hit, "flagged"),
        count(status_is("declined"), "declined"),
        count(_col("transaction_type") == "chargeback", "charged_back"),
        fn.sum("risk_score").alias("risk_score"),
        worth(hit, "flagged_amount"),
    )


def _suspicious(scored: DataFrame) -> DataFrame:
    return scored.where(_col("risk_score") > 0).select(*SHOWN, "reason_codes", "risk_score", "_known_ts")
