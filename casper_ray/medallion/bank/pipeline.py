"""The bank's pipeline, declared."""

from __future__ import annotations

from casper_ray.medallion.bank.activity import GOLD_BRANCH_PERFORMANCE, GOLD_DAILY_TRANSACTION_SUMMARY
from casper_ray.medallion.bank.bronze import ADMITTED, BRONZE
from casper_ray.medallion.bank.concluded import CONCLUDED
from casper_ray.medallion.bank.customers import CUSTOMER_CHANGES, SILVER_CUSTOMERS
from casper_ray.medallion.bank.features import GOLD_ACCOUNT_LINKS, GOLD_CUSTOMER_FEATURES
from casper_ray.medallion.bank.liquidity import GOLD_LIQUIDITY_DAILY
from casper_ray.medallion.bank.pnl import GOLD_PNL_DAILY
from casper_ray.medallion.bank.reach import GOLD_MERCHANT_CATEGORY_REACH
from casper_ray.medallion.bank.source import SOURCES
from casper_ray.medallion.bank.spend import GOLD_MERCHANT_CATEGORY_SPEND
from casper_ray.medallion.bank.suspicion import (
    GOLD_FRAUD_RISK_HOURLY,
    GOLD_SUSPICIOUS_ACTIVITY,
    GOLD_SUSPICIOUS_DAYS,
    SCORED_TRANSACTIONS,
)
from casper_ray.medallion.bank.transactions import FEED_TRANSACTIONS, SILVER_TRANSACTIONS
from casper_ray.medallion.declare import Pipeline

GOLD = (
    GOLD_DAILY_TRANSACTION_SUMMARY,
    GOLD_MERCHANT_CATEGORY_SPEND,
    GOLD_MERCHANT_CATEGORY_REACH,
    GOLD_BRANCH_PERFORMANCE,
    GOLD_SUSPICIOUS_ACTIVITY,
    GOLD_SUSPICIOUS_DAYS,
    GOLD_FRAUD_RISK_HOURLY,
    GOLD_LIQUIDITY_DAILY,
    GOLD_PNL_DAILY,
    GOLD_CUSTOMER_FEATURES,
    GOLD_ACCOUNT_LINKS,
)

PIPELINE = Pipeline(
    name="bank",
    catalog="bank_dev",
    schema="retail_banking",
    sources=SOURCES,
    tables=(
        *BRONZE,
        *ADMITTED,
        *CONCLUDED,
        *FEED_TRANSACTIONS,
        CUSTOMER_CHANGES,
        SILVER_TRANSACTIONS,
        SILVER_CUSTOMERS,
        SCORED_TRANSACTIONS,
        *GOLD,
    ),
    quality="bank",
)
