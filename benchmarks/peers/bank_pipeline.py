"""The bank's pipeline without the three Gold tables that the peers do not make."""

from __future__ import annotations

from dataclasses import replace

from casper_ray.medallion.bank.pipeline import PIPELINE as BANK

NOT_COMPARED = ("gold_merchant_category_reach", "gold_suspicious_days", "gold_account_links")

PIPELINE = replace(BANK, tables=tuple(table for table in BANK.tables if table.name not in NOT_COMPARED))
