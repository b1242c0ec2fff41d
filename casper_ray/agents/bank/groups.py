"""Groups of alerts: an account's simulated day, and which of its flagged transactions are alerts."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

import polars as pl
from deltalake import DeltaTable

from casper_ray.agents.bank.rows import FLAGGED_TS
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.by_key import ByKey
from casper_ray.agents.case import CASES
from casper_ray.agents.decision import SCHEMA, TABLE
from casper_ray.lakehouse.read import scan

GROUP_CASE: Final = "alert_group"
UNDECIDED_SCORE: Final = 40
"""Of what the alert agent did not decide, points of the rules from which a flagged transaction is an alert."""
_APPROVE = "approve"
_MOST = 50
"""Alerts of a group that are told; the gravest."""


def group_subject(account: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The subject of a group of alerts."""
    return pl.format("{}@{}", account, day.dt.to_string("%Y-%m-%d"))


def alerts(store: BankStore) -> pl.DataFrame:
    """Flagged transactions that somebody should look at: `FLAGGED`, and `decided`, the alert agent's outcome or null.

    Rules: what the alert agent decided counts by its outcome, and is out where every version approves; what it did
           not decide counts from `UNDECIDED_SCORE`. Decisions are looked at once while the store stands at a batch.
    """
    return store.kept("alerts", lambda: with_outcomes(store, _outcomes(store)))


def with_outcomes(store: BankStore, outcomes: pl.DataFrame) -> pl.DataFrame:
    """The alerts, by the outcomes of `transaction_id`s: `decided`."""
    rows = store.flagged.join(outcomes, on="transaction_id", how="left", maintain_order="left")
    undecided = pl.col("decided").is_null() & (pl.col("risk_score") >= UNDECIDED_SCORE)
    return rows.filter(undecided | (pl.col("decided") != _APPROVE))


def _outcomes(store: BankStore) -> pl.DataFrame:
    """transaction_id, decided: of the alert agent, on what the store's batch and those before it brought.

    Rules: of several versions' outcomes one that does not approve counts; of such the last by name.
    """
    path = store.catalog.table(SCHEMA, TABLE)
    columns = {"transaction_id": pl.String, "decided": pl.String}
    if not DeltaTable.is_deltatable(str(path)):
        return pl.DataFrame(schema=columns)
    rows = scan(path).filter(pl.col("agent") == "alert", pl.col("source_batch") <= store.batch)
    return (
        rows.select(pl.col("case_id").str.strip_prefix("transaction:").alias("transaction_id"), "outcome")
        .group_by("transaction_id")
        .agg(pl.col("outcome").filter(pl.col("outcome") != _APPROVE).max().alias("decided"))
        .with_columns(pl.col("decided").fill_null(_APPROVE))
        .collect()
    )


def alerts_of_groups(store: BankStore, cases: pl.DataFrame) -> pl.DataFrame:
    """The alerts of each group, at most 50, the gravest first: `FLAGGED`, `decided`, and `row`, the case's place.

    Rules: of the group's account, known on its day and before the case's instant. Cases of another kind have none.
    """
    return store.told("groups", cases.select("kind", "subject", "at"), partial(_alerts_of_groups, store))


def _alerts_of_groups(store: BankStore, cases: pl.DataFrame) -> pl.DataFrame:
    groups = cases.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        "at",
        pl.when(pl.col("kind") == GROUP_CASE).then("subject").alias("group"),
    )
    found = groups.join(_by_group(store).of(groups["group"]), on="group", maintain_order="left_right")
    before = found.filter(pl.col(FLAGGED_TS) < pl.col("at")).drop("at", "group")
    return before if before.height <= _MOST else before.group_by("row", maintain_order=True).head(_MOST)


def _by_group(store: BankStore) -> ByKey:
    """The alerts, to be found by their group's subject: `group`; of each the gravest first."""

    def made() -> ByKey:
        named = group_subject(pl.col("account_token"), pl.col(FLAGGED_TS).dt.date())
        gravest_first = alerts(store).sort(-pl.col("risk_score"), FLAGGED_TS, "transaction_id")
        return ByKey(gravest_first.with_columns(named.alias("group")), "group")

    return store.kept("alerts by group", made)


def _no_text(name: str) -> pl.Expr:
    return pl.lit(None, pl.String).alias(name)


def group_cases(store: BankStore, after: int, to: int) -> pl.DataFrame:
    """`CASES`: one per account and simulated day with an alert, when the day is over.

    A day is over with the first batch at whose end simulated time stood at its end or later: `source_batch`.
    """
    batches = (
        scan(store.catalog.table(store.schema, "batches"))
        .filter(pl.col("batch") <= to, pl.col("sim_instant").is_not_null())
        .select("batch", "sim_instant")
        .collect()
        .sort("sim_instant", "batch")
    )
    days = alerts(store).select("account_token", pl.col(FLAGGED_TS).dt.date().alias("day")).unique()
    ends = days.with_columns(
        (pl.col("day").cast(pl.Datetime("us", "UTC")) + timedelta(days=1)).alias("at")
    ).sort("at", "account_token")
    over = ends.join_asof(batches, left_on="at", right_on="sim_instant", strategy="forward")
    return (
        over.filter(pl.col("batch").is_between(after + 1, to))
        .with_columns(group_subject(pl.col("account_token"), pl.col("day")).alias("subject"))
        .select(
            pl.format("alert_group:{}", "subject").alias("case_id"),
            pl.lit(GROUP_CASE).alias("kind"),
            "at",
            "subject",
            _no_text("text"),
            pl.col("batch").alias("source_batch"),
        )
        .cast(CASES)
        .sort("at", "case_id")
    )
