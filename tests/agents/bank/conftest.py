"""A small world's lake, and cases of the bank's agents."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from small_bank import SmallBank

from casper_ray.agents.bank.alert import ALERT
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.case import CASES, no_cases
from casper_ray.agents.tools import gathered

Evidence = Callable[..., pl.DataFrame]


@pytest.fixture(scope="session")
def bank_store(bank_lake: SmallBank) -> BankStore:
    return BankStore(bank_lake.catalog)


@pytest.fixture
def hand_made(tmp_path: Any) -> SmallBank:
    return SmallBank.at(tmp_path)


@pytest.fixture(scope="session")
def transaction_cases(bank_lake: SmallBank, bank_store: BankStore) -> pl.DataFrame:
    """Every flagged transaction, and 15 others, each as of when it was known."""
    silver = bank_lake.table("silver_transactions").sort("transaction_id")
    chosen = random.Random(5).sample(silver["transaction_id"].to_list(), 15)
    ids = {*chosen, *bank_store.flagged["transaction_id"]}
    rows = silver.filter(pl.col("transaction_id").is_in(list(ids)))
    return cases_of_transactions(rows["transaction_id"], rows["_known_ts"])


@pytest.fixture(scope="session")
def alert_evidence(bank_store: BankStore) -> Evidence:
    """Evidence of one transaction: a purchase of 50 EUR by an account that spends 10 to 200; else `fields`."""
    schema = gathered(bank_store, ALERT.gathered_tools, no_cases()).schema
    usual: dict[str, Any] = {
        "found": True,
        "feed": "card",
        "transaction_type": "purchase",
        "direction": "out",
        "status": "posted",
        "amount_base": "50.00",
        "account_token": "acc",
        "reason_codes": ["LARGE_RISKY_ONLINE"],
        "own_transactions": 100,
        "own_p50": 10.0,
        "own_p95": 200.0,
        "own_p99": 500.0,
        "out_count_1h": 0,
    }

    def evidence(**fields: Any) -> pl.DataFrame:
        told = usual | fields
        row: dict[str, pl.Series] = {}
        for tool in ALERT.gathers:
            dtype = schema[tool]
            assert isinstance(dtype, pl.Struct)
            values = {
                field.name: pl.Series([told.get(field.name)]).cast(field.dtype) for field in dtype.fields
            }
            row[tool] = pl.DataFrame(values).to_struct(tool)
        return cases_of_transactions(pl.Series(["T"]), pl.Series([None])).with_columns(**row)

    return evidence


def cases_of_transactions(ids: pl.Series, at: pl.Series) -> pl.DataFrame:
    """A case per transaction."""
    rows = pl.DataFrame({"subject": ids, "at": at})
    return rows.select(
        pl.format("transaction:{}", "subject").alias("case_id"),
        pl.lit("transaction").alias("kind"),
        "at",
        "subject",
        pl.lit(None).alias("text"),
        pl.lit(0).alias("source_batch"),
    ).cast(CASES)
