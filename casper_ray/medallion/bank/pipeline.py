"""The bank's pipeline, declared."""

from __future__ import annotations

from casper_ray.medallion.bank.activity import GOLD_BRANCH_PERFORMANCE, GOLD_DAILY_TRANSACTION_SUMMARY
from casper_ray.medallion.bank.bronze import ADMITTED, BRONZE
from casper_ray.medallion.bank.concluded import CONCLUDED
from casper_ray.medallion.bank.customers import CUSTOMER_CHANGES, SILVER_CUSTOMERS
from casper_ray.medallion.bank.source import SOURCES
from casper_ray.medallion.bank.transactions import FEED_TRANSACTIONS, SILVER_TRANSACTIONS
from casper_ray.medallion.declare import Pipeline

GOLD = (GOLD_DAILY_TRANSACTION_SUMMARY, GOLD_BRANCH_PERFORMANCE)

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
        *GOLD,
    ),
    quality="bank",
)
