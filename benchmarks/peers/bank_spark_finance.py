"""Liquidity and profit of the bank's days with Spark."""

from __future__ import annotations

from functools import reduce
from operator import add

from bank_spark_measures import MONEY, moved, status_is, worth
from bank_tables import BASE_CURRENCY, HOME_COUNTRY, WAYS, load_assumptions
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as fn

EXACT = "decimal(18,6)"
_col = fn.col


def liquidity(transactions: DataFrame) -> DataFrame:
    """Flows of the days, and what follows from all of them in whole cents."""
    assumed = load_assumptions("liquidity")
    days_back = (assumed["window_days"] - 1) * 86_400
    at = _col("day").cast("timestamp").cast("long")
    window = Window.partitionBy(fn.lit(0)).orderBy(at).rangeBetween(-days_back, 0)
    so_far = Window.partitionBy(fn.lit(0)).orderBy(at)
    names = {way: [f"{name}_{way}" for name in WAYS] for way in ("in", "out")}

    def cents(name: str) -> Column:
        return (_col(name) * 100).cast("long")

    def stressed(way: str) -> Column:
        percent = assumed[f"{way}flow_percent"]
        total = reduce(add, (cents(name) * percent[name] for name in names[way]))
        return fn.floor(fn.sum(total).over(window) / 100)

    def money(column: Column) -> Column:
        return (column.cast("decimal(18,0)") / 100).cast(MONEY)

    flows = transactions.groupBy(_col("txn_day").alias("day")).agg(
        *(
            worth(moved(direction) & ~_col("internal") & (_col("feed") == feed), f"{way}_{direction}")
            for direction in ("in", "out")
            for way, feed in WAYS.items()
        )
    )
    sums = {f"{way}flows": reduce(add, map(cents, names[way])) for way in names}
    told = flows.withColumns(sums | {f"stressed_{way}flows": stressed(way) for way in names}).withColumn(
        "net", _col("inflows") - _col("outflows")
    )
    capped = fn.least(
        "stressed_inflows", fn.floor(_col("stressed_outflows") * assumed["inflow_cap_percent"] / 100)
    )
    told = told.withColumns(
        {
            "hqla": fn.sum("net").over(so_far) + assumed["opening_hqla"] * 100,
            "net_stressed_outflow": _col("stressed_outflows") - capped,
        }
    )
    outflow = _col("net_stressed_outflow")
    told = told.withColumn("lcr", fn.when(outflow > 0, _col("hqla") / outflow))
    whole = [*sums, "net", "hqla", "stressed_inflows", "stressed_outflows", "net_stressed_outflow"]
    return told.withColumns({name: money(_col(name)) for name in whole})


def pnl(transactions: DataFrame) -> DataFrame:
    assumed = load_assumptions("pnl")
    kind, feed, amount = _col("transaction_type"), _col("feed"), _col("amount_base")
    bought, credit = kind == "purchase", fn.coalesce(_col("card_type") == "credit", fn.lit(False))
    undone = kind.isin("refund", "reversal") & (feed == "card")
    exchanged = kind.isin("purchase", "withdrawal", "transfer_out") & (_col("currency") != BASE_CURRENCY)
    abroad = _col("country") != HOME_COUNTRY

    def share(basis_points: str) -> Column:
        return (fn.lit(assumed[basis_points]).cast("decimal(6,0)") / 10_000).cast("decimal(6,4)")

    rate = fn.when(credit, share("interchange_credit_bp")).otherwise(share("interchange_debit_bp"))
    sign = fn.when(bought, 1).when(undone, -1).otherwise(0).cast("decimal(1,0)")
    fees = fn.when(abroad & (kind == "transfer_out"), fn.lit(str(assumed["transfer_abroad_fee"])))
    fees = fees.when(abroad & (kind == "withdrawal"), fn.lit(str(assumed["cash_abroad_fee"]))).otherwise("0")
    parts = {
        "interchange": amount * rate * sign,
        "fx_margin": fn.when(exchanged, amount * share("fx_margin_bp")),
        "credit_interest": fn.when(bought & credit, amount * share("credit_interest_bp")),
        "fees": fees.cast(MONEY),
        "fraud_losses": fn.when(kind == "chargeback", amount * share("chargeback_loss_bp")),
    }
    nothing = fn.lit(0).cast(EXACT)
    sums = {name: fn.coalesce(fn.sum(part).cast(EXACT), nothing) for name, part in parts.items()}
    category = fn.when(feed == "card", fn.coalesce("merchant_category", fn.lit("unknown")))
    category = category.when(feed == "atm", "cash").otherwise("transfers")
    income = _col("interchange") + _col("fx_margin") + _col("credit_interest") + _col("fees")
    return (
        transactions.where(status_is("posted"))
        .groupBy(_col("txn_day").alias("day"), category.alias("category"))
        .agg(fn.count("*").alias("transactions"), *(total.alias(name) for name, total in sums.items()))
        .withColumn("net_income", (income - _col("fraud_losses")).cast(EXACT))
    )
