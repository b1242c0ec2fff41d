"""A bank's lake with canaries in it: rows like the cases' own, of every table that tools read, known only later."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
from small_bank import SmallBank

from casper_ray.agents.agent import Agent, agent_version, load_rules
from casper_ray.agents.bank.alert import ALERT
from casper_ray.agents.bank.store import RETAIL
from casper_ray.agents.case import CASES
from casper_ray.agents.decision import SCHEMA, TABLE, Decider
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.lakehouse.names import Catalog, open_catalog

CANARY: Final = "CANARY"
_WIRES: Final = 60


class Planting(NamedTuple):
    """last: the newest instant that anything in the lake was known at. batch: whose the canaries are."""

    bank: SmallBank
    last: datetime
    batch: int

    @property
    def known(self) -> datetime:
        return self.last + timedelta(microseconds=1)


def with_decided_alerts(bank: SmallBank, folder: Path) -> Catalog:
    """A copy in which the alert agent has decided: what it did not approve makes groups for the fraud agent."""
    shutil.copytree(bank.catalog.lake, folder)
    catalog = open_catalog(str(folder), bank.catalog.name)
    store: Any = ALERT.open_store(catalog, None)
    rules, engine = load_rules(ALERT), PolicyEngine()
    version = agent_version(ALERT, rules, engine.settings)
    decider = Decider(agent=ALERT, rules=rules, version=version, engine=engine)
    rows = decider.decide(store, ALERT.cases(store, -1, store.batch), sim_now=store.sim_instant)
    rows.write_delta(str(catalog.table(SCHEMA, TABLE)))
    return catalog


def planted(lake: Catalog, folder: Path, *, together: bool) -> Catalog:
    """A copy with canaries, in the last batch's tables or in a batch of their own."""
    shutil.copytree(lake.lake, folder)
    bank = SmallBank(open_catalog(str(folder), lake.name))
    last = bank.table("batches").select(pl.col("batch").max()).item()
    planting = Planting(bank, last_known(bank), last if together else last + 1)
    for name, rows in _canaries(planting).items():
        _append(bank, RETAIL, name, rows)
    _append(bank, "simulator", "sanctions_list", _listed_later(planting))
    _left_by(planting, tuple(_canaries(planting)), together=together)
    return bank.catalog


def last_known(bank: SmallBank) -> datetime:
    last = bank.table("silver_transactions").select(pl.col("_known_ts").max()).item()
    assert isinstance(last, datetime)
    return last


def _canaries(planting: Planting) -> Mapping[str, pl.DataFrame]:
    """By table. Of each of Silver's rows one with another id, and one with its own that says something else."""
    bank, later = planting.bank, pl.lit(planting.known)
    silver = bank.table("silver_transactions").with_columns(later.alias("_known_ts"))
    new = silver.with_columns(pl.format("CANARY-{}", "transaction_id").alias("transaction_id"))
    changed = silver.with_columns(
        pl.lit(CANARY).alias("country"), pl.lit(0.99).alias("merchant_risk"), pl.col("amount_base") * 2
    )
    ids = bank.table("gold_suspicious_activity")["transaction_id"].implode()
    flagged = pl.concat(
        [
            rows.filter(pl.col("transaction_id").str.strip_prefix("CANARY-").is_in(ids))
            for rows in (new, silver)
        ]
    )
    wires = bank.table("wire_events").with_columns(
        later.alias("_known_ts"),
        pl.lit(planting.batch).alias("_batch_id"),
        pl.lit(CANARY).alias("payee_name"),
    )
    customers = bank.table("silver_customers").with_columns(
        later.alias("_known_ts"),
        pl.col("lsn") + 1_000,
        pl.lit(CANARY).alias("segment"),
        pl.lit("99000.00").alias("credit_limit"),
    )
    tomorrow = planting.last.date() + timedelta(days=1)
    return {
        "silver_transactions": pl.concat([new, changed]),
        "gold_suspicious_activity": flagged.with_columns(
            pl.lit([CANARY], pl.List(pl.String)).alias("reason_codes"), pl.lit(999).alias("risk_score")
        ),
        "silver_customers": customers,
        "gold_customer_features": bank.table("gold_customer_features").with_columns(
            pl.lit(tomorrow).alias("day")
        ),
        "wire_events": wires,
    }


def _listed_later(planting: Planting) -> pl.DataFrame:
    """Every counterparty there is, on the list from tomorrow on."""
    names = planting.bank.table("wire_events")["payee_name"].drop_nulls().unique(maintain_order=True)
    return pl.DataFrame({"name": names}).select(
        pl.format("CANARY-{}", pl.int_range(pl.len())).alias("entry_id"),
        "name",
        pl.lit([], pl.List(pl.String)).alias("aliases"),
        pl.lit("QZ").alias("country"),
        pl.lit(planting.last.date() + timedelta(days=1), pl.Date).alias("listed_on"),
    )


def _append(bank: SmallBank, schema: str, name: str, rows: pl.DataFrame) -> None:
    path = str(bank.catalog.table(schema, name))
    columns = pl.read_delta(path).schema
    told = [(pl.col(n) if n in rows.columns else pl.lit(None)).cast(t).alias(n) for n, t in columns.items()]
    rows.select(told).write_delta(path, mode="append")


def _left_by(planting: Planting, tables: tuple[str, ...], *, together: bool) -> None:
    """The tables as the canaries' batch left them."""
    path = str(planting.bank.catalog.table(RETAIL, "batches"))
    batches = planting.bank.table("batches").sort("batch")
    row = batches.tail(1)
    versions = {name: int(number) for name, number in (part.split("=") for part in row["versions"][0])}
    versions |= {name: versions[name] + 1 for name in tables}
    texts = pl.Series([[f"{name}={version}" for name, version in versions.items()]])
    left = row.with_columns(pl.lit(planting.batch).alias("batch"), pl.lit(texts).alias("versions")).cast(
        dict(batches.schema)
    )
    before = batches.head(batches.height - 1) if together else batches
    pl.concat([before, left]).write_delta(path, mode="overwrite")


def bank_cases(agent: Agent, lake: Catalog) -> pl.DataFrame:
    """Cases of an agent in the lake as it was: its own, and more of the kind where a week has few."""
    bank = SmallBank(lake)
    store = agent.open_store(lake, None)
    own = agent.cases(store, -1, store.batch)
    if agent.name == "screening":
        return own.sample(_WIRES, seed=3).sort("at", "case_id")
    silver = bank.table("silver_transactions").sort("transaction_id")
    ids = bank.table("gold_suspicious_activity")["transaction_id"].implode()
    last = last_known(bank)
    subjects = {
        "alert": silver.sample(20, seed=5).select("transaction_id", "_known_ts"),
        "fraud": silver.filter(pl.col("transaction_id").is_in(ids)).select(
            pl.format("{}@{}", "account_token", pl.col("_known_ts").dt.date()),
            (pl.col("_known_ts").dt.truncate("1d") + timedelta(days=1)).clip(upper_bound=last),
        ),
        "credit": bank.table("silver_customers")
        .filter(pl.col("credit_account_token").is_not_null())
        .select(pl.col("credit_account_token").alias("account"), pl.lit(last).alias("at"))
        .unique(maintain_order=True),
    }[agent.name]
    more = subjects.rename(dict(zip(subjects.columns, ("subject", "at"), strict=True)))
    made = more.unique(("subject", "at"), maintain_order=True).select(
        pl.format("more:{}", "subject").alias("case_id"),
        pl.lit(agent.kind).alias("kind"),
        "at",
        "subject",
        pl.lit(None, pl.String).alias("text"),
        pl.lit(store.batch).alias("source_batch"),
    )
    return pl.concat([own, made.cast(CASES)]).sort("at", "case_id")
