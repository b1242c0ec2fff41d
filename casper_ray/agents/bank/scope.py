"""What is a case's own: its transaction, its account, and of a group of alerts the transactions of its day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl
from pydantic import Field

from casper_ray.agents.bank.groups import GROUP_CASE, alerts_of_groups
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.case import CASES, Case
from casper_ray.agents.tools import Arguments

TRANSACTION_CASE: Final = "transaction"
NONE: Final = ""
"""In the place of an argument that the case does not have: nothing is found by it."""


class OfTransaction(Arguments):
    transaction_id: str = Field(max_length=40)


class OfAccount(Arguments):
    """account_token: of a current account or a credit account; a token, no number."""

    account_token: str = Field(max_length=120)


class OfMerchant(Arguments):
    merchant_id: str = Field(max_length=40)


def transaction_cases(rows: pl.DataFrame, kind: str, at: str) -> pl.DataFrame:
    """`CASES`: one for each row's transaction_id, `KIND:ID`, as of the row's column `at`.

    rows: with source_batch.
    """
    return (
        rows.select(
            pl.format("{}:{}", pl.lit(kind), "transaction_id").alias("case_id"),
            pl.lit(kind).alias("kind"),
            pl.col(at).alias("at"),
            pl.col("transaction_id").alias("subject"),
            pl.lit(None, pl.String).alias("text"),
            "source_batch",
        )
        .cast(CASES)
        .sort("at", "case_id")
    )


def own_transaction(store: BankStore, cases: pl.DataFrame) -> pl.DataFrame:
    """transaction_id: the case's subject; of a group the gravest alert's."""
    if (cases["kind"] == TRANSACTION_CASE).all():
        return cases.select(pl.col("subject").str.head(40).alias("transaction_id"))
    alerts = alerts_of_groups(store, cases)  # of each case the gravest first
    if cases.height == 1:
        return pl.DataFrame({"transaction_id": [alerts["transaction_id"][0] if alerts.height else NONE]})
    gravest = alerts.unique("row", keep="first").select("row", "transaction_id")
    joined = cases.with_row_index("row").join(gravest, on="row", how="left", maintain_order="left")
    own = pl.when(pl.col("kind") == TRANSACTION_CASE).then("subject").otherwise("transaction_id")
    return joined.select(own.fill_null(NONE).str.head(40).alias("transaction_id"))


def own_account(store: BankStore, cases: pl.DataFrame) -> pl.DataFrame:
    """account_token: of the case's transaction as far as it is known by `at`; else the subject up to an `@`."""
    own = pl.col("subject").str.split("@").list.first()
    if (cases["kind"] == TRANSACTION_CASE).any():
        of_transaction = store.transactions_at(own_transaction(store, cases).with_columns(cases["at"]))
        is_one = pl.col("kind") == TRANSACTION_CASE
        own = pl.when(is_one).then(of_transaction["account_token"]).otherwise(own)
    return cases.select(own.fill_null(NONE).alias("account_token"))


def own_merchant(store: BankStore, cases: pl.DataFrame) -> pl.DataFrame:
    """merchant_id: of the case's transaction as far as it is known by `at`."""
    found = store.transactions_at(own_transaction(store, cases).with_columns(cases["at"]))
    return found.select(pl.col("merchant_id").fill_null(NONE))


def allows_transaction(store: BankStore, case: Case, arguments: Mapping[str, Any]) -> bool:
    """Whether a case may ask of a transaction: its own, or one of its group's alerts."""
    if case.kind != GROUP_CASE:
        return bool(arguments["transaction_id"] == case.subject)
    return arguments["transaction_id"] in alerts_of_groups(store, case.frame())["transaction_id"]
