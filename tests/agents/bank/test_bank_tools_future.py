"""That no tool of the bank sees what was known later than its case: canaries."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_bank import SmallBank

from casper_ray.agents.bank.alert import ALERT
from casper_ray.agents.bank.store import RETAIL, BankStore
from casper_ray.agents.case import Case
from casper_ray.agents.tools import Toolbox, gathered
from casper_ray.lakehouse.names import open_catalog

CANARY = "CANARY"


@pytest.fixture(scope="module")
def last(transaction_cases: pl.DataFrame, agent_bank: SmallBank) -> datetime:
    known = agent_bank.table("silver_transactions")["_known_ts"].max()
    latest = max(known, transaction_cases["at"].max())  # type: ignore[type-var]
    assert isinstance(latest, datetime)
    return latest


@pytest.fixture(scope="module")
def planted(
    agent_bank: SmallBank,
    transaction_cases: pl.DataFrame,
    last: datetime,
    tmp_path_factory: pytest.TempPathFactory,
) -> BankStore:
    """The lake with rows that are like the cases' own and were known a microsecond after the last of them."""
    folder = tmp_path_factory.mktemp("planted") / "lake"
    shutil.copytree(agent_bank.catalog.lake, folder)
    bank = SmallBank(open_catalog(str(folder), "bank_dev"))
    known = last + timedelta(microseconds=1)
    ours = transaction_cases["subject"].implode()
    silver = bank.table("silver_transactions").filter(pl.col("transaction_id").is_in(ours))
    again = silver.with_columns(pl.lit(known).alias("_known_ts"))
    new = again.with_columns(pl.format("CANARY-{}", "transaction_id").alias("transaction_id"))
    changed = again.with_columns(pl.lit(CANARY).alias("country"), pl.lit(0.99).alias("merchant_risk"))
    _append(bank, "silver_transactions", pl.concat([new, changed]))
    flagged = pl.concat([new, again]).with_columns(
        pl.lit([CANARY], pl.List(pl.String)).alias("reason_codes"), pl.lit(999).alias("risk_score")
    )
    _append(bank, "gold_suspicious_activity", flagged)
    versions = bank.table("silver_customers").with_columns(
        pl.lit(known).alias("_known_ts"), pl.col("lsn") + 1000, pl.lit(CANARY).alias("segment")
    )
    _append(bank, "silver_customers", versions)
    days = bank.table("gold_customer_features").with_columns(
        pl.lit((last + timedelta(days=1)).date()).alias("day")
    )
    _append(bank, "gold_customer_features", days)
    _batch_of(bank)
    return BankStore(bank.catalog)


def _append(bank: SmallBank, name: str, rows: pl.DataFrame) -> None:
    columns = bank.table(name).schema
    rows.select(pl.col(column).cast(dtype) for column, dtype in columns.items()).write_delta(
        str(bank.catalog.table(RETAIL, name)), mode="append"
    )


def _batch_of(bank: SmallBank) -> None:
    """A batch that left the tables as they are."""
    batches = bank.table("batches").sort("batch").tail(1)
    versions = {name: int(number) for name, number in (p.split("=") for p in batches["versions"][0])}
    for name in ("silver_transactions", "gold_suspicious_activity", "silver_customers"):
        versions[name] += 1
    versions["gold_customer_features"] += 1
    texts = [f"{name}={version}" for name, version in versions.items()]
    row = batches.with_columns(pl.col("batch") + 1, pl.lit(pl.Series([texts])).alias("versions"))
    row.write_delta(str(bank.catalog.table(RETAIL, "batches")), mode="append")


def test_rows_known_later_change_nothing_at_once(
    bank_store: BankStore, planted: BankStore, transaction_cases: pl.DataFrame
) -> None:
    before = gathered(bank_store, ALERT.tools, transaction_cases)
    assert_frame_equal(gathered(planted, ALERT.tools, transaction_cases), before, check_exact=True)


def test_rows_known_later_change_nothing_one_by_one(
    bank_store: BankStore, planted: BankStore, transaction_cases: pl.DataFrame
) -> None:
    for row in transaction_cases.iter_rows(named=True):
        boxes = [Toolbox(store, Case.of(row), ALERT.tools) for store in (bank_store, planted)]
        for tool in ALERT.tools:
            wanted, seen = (box.call(tool.name).result for box in boxes)
            assert seen == wanted, (tool.name, row["case_id"])


def test_every_canary_is_seen_once_it_is_known(
    bank_store: BankStore, planted: BankStore, transaction_cases: pl.DataFrame, last: datetime
) -> None:
    """Else the tests above would hold whatever the tools read."""
    after = transaction_cases.with_columns(pl.lit(last + timedelta(days=2)).alias("at"))
    without, seen = (gathered(store, ALERT.tools, after) for store in (bank_store, planted))
    for tool in ("get_customer_profile", "get_merchant_risk_score", "get_device_history", "get_prior_alerts"):
        assert _texts(seen, tool) != _texts(without, tool), tool
    assert CANARY in seen["get_customer_profile"].struct.field("segment")
    assert _texts(seen, "get_counterparty_graph") != _texts(without, "get_counterparty_graph")


def _texts(rows: pl.DataFrame, tool: str) -> list[Any]:
    return rows[tool].struct.json_encode().to_list()
