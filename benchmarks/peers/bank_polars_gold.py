"""The bank's eight Gold tables with polars."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import polars as pl
from bank_tables import (
    BASE_CURRENCY,
    GIVEN_BACK,
    HISTOGRAM_EDGES,
    HOME_COUNTRY,
    SHOWN,
    WAYS,
    load_assumptions,
    load_rules,
)

MONEY = pl.Decimal(18, 2)
_posted, _declined = pl.col("status") == "posted", pl.col("status") == "declined"
_feed, _kind, _amount = pl.col("feed"), pl.col("transaction_type"), pl.col("amount_base")
_cents = pl.col("cents")
_out, _in = _posted & (pl.col("direction") == "out"), _posted & (pl.col("direction") == "in")


def gold_tables(silver: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """All eight. Amounts are summed as whole cents: a third of the time of decimals."""
    transactions = silver.lazy().with_columns(cents=_amount.to_physical().cast(pl.Int64))
    arrived = transactions.filter(pl.col("internal") & _posted).with_columns(
        account_token="counterparty_token", counterparty_token="account_token", direction=pl.lit("in")
    )
    sides = pl.concat([transactions, arrived])
    scored = _scored(transactions)
    plans = {
        "gold_daily_transaction_summary": _daily(sides),
        "gold_branch_performance": _branches(transactions),
        "gold_merchant_category_spend": _categories(transactions),
        "gold_liquidity_daily": _flows(transactions),
        "gold_pnl_daily": _pnl(transactions),
        "gold_customer_features": _features(sides),
        "gold_fraud_risk_hourly": _risk(scored),
        "gold_suspicious_activity": _suspicious(scored),
    }
    tables = dict(zip(plans, pl.collect_all(plans.values()), strict=True))
    return {**tables, "gold_liquidity_daily": _coverage(tables["gold_liquidity_daily"])}


def _count(holds: pl.Expr, name: str) -> pl.Expr:
    return holds.sum().cast(pl.Int64).alias(name)


def _sum_where(holds: pl.Expr) -> pl.Expr:
    return pl.when(holds).then(_cents).otherwise(0).sum()


def _decimal(units: pl.Expr, scale: int = 2, precision: int = 18) -> pl.Expr:
    """Whole units of the last digit as a decimal."""
    return (units.cast(pl.Decimal(38, scale)) / 10**scale).cast(pl.Decimal(precision, scale))


def _worth(holds: pl.Expr, name: str) -> pl.Expr:
    return _decimal(_sum_where(holds)).alias(name)


def _daily(sides: pl.LazyFrame) -> pl.LazyFrame:
    return sides.group_by("account_token", day="txn_day").agg(
        _count(_posted, "transactions"),
        _count(_in, "transactions_in"),
        _count(_out, "transactions_out"),
        *(_count(_posted & (_feed == feed), f"transactions_{feed}") for feed in WAYS.values()),
        _count(~_posted, "declined"),
        _worth(_in, "amount_in"),
        _worth(_out, "amount_out"),
    )


def _branches(transactions: pl.LazyFrame) -> pl.LazyFrame:
    kinds = {"deposits": "deposit", "withdrawals": "withdrawal"}
    return transactions.group_by("branch_id", day="txn_day").agg(
        _count(_posted, "transactions"),
        _count(_declined, "declined"),
        *(_count(_posted & (_kind == kind), name) for name, kind in kinds.items()),
        _worth(_posted, "amount"),
        *(_worth(_posted & (_kind == kind), f"{name}_amount") for name, kind in kinds.items()),
    )


def _categories(transactions: pl.LazyFrame) -> pl.LazyFrame:
    bought, back = _kind == "purchase", _kind.is_in(GIVEN_BACK)
    return (
        transactions.filter((_feed == "card") & _posted)
        .group_by(
            pl.col("merchant_category").fill_null("unknown"),
            pl.col("txn_day").dt.month_start().alias("month"),
        )
        .agg(
            _count(bought, "purchases"),
            _count(back, "given_back"),
            _worth(bought, "spend"),
            _worth(back, "given_back_amount"),
            _decimal(_sum_where(bought) - _sum_where(back)).alias("net_spend"),
        )
    )


def _flows(transactions: pl.LazyFrame) -> pl.LazyFrame:
    """Whole cents a day, in and out."""
    moved = _posted & ~pl.col("internal")
    return transactions.group_by(day="txn_day").agg(
        _sum_where(moved & (_feed == feed) & (pl.col("direction") == direction)).alias(f"{way}_{direction}")
        for direction in ("in", "out")
        for way, feed in WAYS.items()
    )


def _coverage(flows: pl.DataFrame) -> pl.DataFrame:
    assumed = load_assumptions("liquidity")
    window = f"{assumed['window_days']}d"
    names = {way: [f"{name}_{way}" for name in WAYS] for way in ("in", "out")}

    def stressed(way: str) -> pl.Expr:
        percent = assumed[f"{way}flow_percent"]
        total = reduce(add, (pl.col(name) * percent[name] for name in names[way]))
        return (total.rolling_sum_by("day", window) // 100).alias(f"stressed_{way}flows")

    told = (
        flows.sort("day")
        .with_columns(*(pl.sum_horizontal(names[way]).alias(f"{way}flows") for way in names))
        .with_columns((pl.col("inflows") - pl.col("outflows")).alias("net"), *map(stressed, names))
        .with_columns(
            (assumed["opening_hqla"] * 100 + pl.col("net").cum_sum()).alias("hqla"),
            (
                pl.col("stressed_outflows")
                - pl.min_horizontal(
                    "stressed_inflows", pl.col("stressed_outflows") * assumed["inflow_cap_percent"] // 100
                )
            ).alias("net_stressed_outflow"),
        )
    )
    outflow = pl.col("net_stressed_outflow")
    ratio = pl.when(outflow > 0).then(pl.col("hqla") / outflow)
    return told.with_columns(ratio.alias("lcr")).with_columns(_decimal(pl.col(pl.Int64)))


def _pnl(transactions: pl.LazyFrame) -> pl.LazyFrame:
    """Sums of cents times basis points, which have six digits after the point."""
    assumed: dict[str, Any] = load_assumptions("pnl")
    bought, credit = _kind == "purchase", (pl.col("card_type") == "credit").fill_null(False)
    undone = _kind.is_in(("refund", "reversal")) & (_feed == "card")
    paid_out = _kind.is_in(("purchase", "withdrawal", "transfer_out"))
    abroad = pl.col("country") != HOME_COUNTRY
    rate = pl.when(credit).then(assumed["interchange_credit_bp"]).otherwise(assumed["interchange_debit_bp"])
    sign = pl.when(bought).then(1).when(undone).then(-1).otherwise(0)
    transfer_fee, cash_fee = (
        round(assumed[fee] * 100) * 10_000 for fee in ("transfer_abroad_fee", "cash_abroad_fee")
    )
    fees = pl.when(abroad & (_kind == "transfer_out")).then(transfer_fee)
    fees = fees.when(abroad & (_kind == "withdrawal")).then(cash_fee).otherwise(0)
    parts = {
        "interchange": (_cents * rate * sign).sum(),
        "fx_margin": _sum_where(paid_out & (pl.col("currency") != BASE_CURRENCY)) * assumed["fx_margin_bp"],
        "credit_interest": _sum_where(bought & credit) * assumed["credit_interest_bp"],
        "fees": fees.sum().cast(pl.Int64),
        "fraud_losses": _sum_where(_kind == "chargeback") * assumed["chargeback_loss_bp"],
    }
    income = pl.sum_horizontal("interchange", "fx_margin", "credit_interest", "fees")
    category = pl.when(_feed == "card").then(pl.col("merchant_category").fill_null("unknown"))
    category = category.when(_feed == "atm").then(pl.lit("cash")).otherwise(pl.lit("transfers"))
    return (
        transactions.filter(_posted)
        .group_by(day="txn_day", category=category)
        .agg(pl.len().cast(pl.Int64).alias("transactions"), **parts)
        .with_columns(net_income=income - pl.col("fraud_losses"))
        .with_columns(_decimal(pl.col(name), 6) for name in (*parts, "net_income"))
    )


def _features(sides: pl.LazyFrame) -> pl.LazyFrame:
    hour = pl.col("txn_ts").dt.hour()
    cash, transfer = _out & (_feed == "atm"), _out & (_feed == "wire")
    bucket = pl.lit(pl.Series(HISTOGRAM_EDGES)).search_sorted(_cents, side="right")
    squared = pl.when(_out).then(_cents.cast(pl.Int128) ** 2).otherwise(0).sum()
    return (
        sides.with_columns(pl.when(_out).then(bucket).alias("bucket"))
        .group_by("account_token", day=pl.col("_known_ts").dt.date())
        .agg(
            _count(_posted, "transactions"),
            _count(_in, "transactions_in"),
            _count(_out, "transactions_out"),
            _count(_out & ((hour >= 22) | (hour < 4)), "at_night"),
            _count(_out & (pl.col("country") != HOME_COUNTRY), "abroad"),
            _count(_out & (pl.col("channel") == "online"), "online"),
            _count(cash, "cash"),
            _count(transfer, "transfers"),
            _count(~_posted, "declined"),
            _worth(_in, "amount_in"),
            _worth(_out, "amount_out"),
            _worth(cash, "cash_out"),
            _worth(transfer, "transfers_out"),
            _decimal(squared, 4, 38).alias("amount_out_squared"),
            pl.when(_out).then(_amount).max().alias("amount_out_max"),
            pl.when(_posted).then("txn_ts").min().alias("first_ts"),
            pl.when(_posted).then("txn_ts").max().alias("last_ts"),
            *(
                _count(pl.col("bucket") == place, f"hist_{place:02d}").cast(pl.Int32)
                for place in range(len(HISTOGRAM_EDGES) + 1)
            ),
        )
    )


def _scored(transactions: pl.LazyFrame) -> pl.LazyFrame:
    """The transactions with a column `is_CODE` per rule, and the points of those that hold."""
    rules = load_rules()
    held = transactions.with_columns(
        pl.sql_expr(rule["sql"]).fill_null(False).alias(f"is_{rule['code']}") for rule in rules
    )
    points = (pl.col(f"is_{rule['code']}").cast(pl.Int64) * rule["points"] for rule in rules)
    return held.with_columns(pl.sum_horizontal(*points).alias("risk_score"))


def _risk(scored: pl.LazyFrame) -> pl.LazyFrame:
    hit = pl.col("risk_score") > 0
    return scored.group_by(
        pl.col("branch_city").fill_null("unknown").alias("region"),
        pl.col("txn_ts").dt.truncate("1h").alias("hour_ts"),
    ).agg(
        pl.len().cast(pl.Int64).alias("transactions"),
        _count(hit, "flagged"),
        _count(_declined, "declined"),
        _count(_kind == "chargeback", "charged_back"),
        pl.col("risk_score").sum(),
        _worth(hit, "flagged_amount"),
    )


def _suspicious(scored: pl.LazyFrame) -> pl.LazyFrame:
    codes = [rule["code"] for rule in load_rules()]
    reasons = pl.concat_list(pl.when(pl.col(f"is_{code}")).then(pl.lit(code)) for code in codes)
    return scored.filter(pl.col("risk_score") > 0).select(
        *SHOWN, reasons.list.drop_nulls().alias("reason_codes"), "risk_score", "_known_ts"
    )
