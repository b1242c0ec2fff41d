"""What the bank's alert and fraud agents are worth against the truth: python benchmarks/alert_quality.py LAKE

LAKE: of `python -m casper_ray.sim --domain bank --speed max --until-day 12 --lake LAKE`. Nothing is written to it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import polars as pl

from casper_ray.agents.agent import Agent, agent_version, load_rules
from casper_ray.agents.bank import groups
from casper_ray.agents.bank.alert import ALERT
from casper_ray.agents.bank.fraud import FRAUD
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.decision import Decider
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.read import scan

GRAVE = ("block", "escalate")


def main(lake: str) -> None:
    catalog = open_catalog(lake, "bank_dev")
    store = BankStore(catalog)
    alerts = decisions(ALERT, store)
    told = alerts.select(
        pl.col("case_id").str.strip_prefix("transaction:").alias("transaction_id"), "outcome"
    )
    # As if they had been committed: the fraud agent reads them from the lake, which is not written to here.
    known = groups.with_outcomes(store, told.rename({"outcome": "decided"}))
    store.kept("alerts", lambda: known)
    print(json.dumps(alert_quality(alerts, truth(catalog)), indent=1))
    print(json.dumps(fraud_quality(decisions(FRAUD, store), truth(catalog)), indent=1))


def decisions(agent: Agent, store: BankStore) -> pl.DataFrame:
    """The policy engine's decisions on every case, and the proposals' fields."""
    rules, engine = load_rules(agent), PolicyEngine()
    decider = Decider(
        agent=agent, rules=rules, version=agent_version(agent, rules, engine.settings), engine=engine
    )
    cases = agent.cases(store, -1, store.batch)
    rows = decider.decide(store, cases, sim_now=store.flagged["flagged_ts"][-1])
    schema = pl.Struct(dict(agent.answer_schema))
    return rows.with_columns(pl.col("proposal").str.json_decode(schema).struct.unnest())


def truth(catalog: Catalog) -> pl.DataFrame:
    rows = scan(catalog.table("truth", "transactions"))
    return rows.select("transaction_id", "is_crime", "right_decision").collect()


def alert_quality(alerts: pl.DataFrame, known: pl.DataFrame) -> dict[str, Any]:
    """Counts and shares, of actions other than approve and of grave ones, against crimes."""
    ids = pl.col("case_id").str.strip_prefix("transaction:").alias("transaction_id")
    rows = (
        alerts.with_columns(ids)
        .join(known, on="transaction_id", how="left")
        .with_columns(pl.col("is_crime").fill_null(False))
    )
    crimes, action = int(rows["is_crime"].sum()), pl.col("recommended_action")
    right = rows.filter(pl.col("is_crime") & (action == pl.col("right_decision"))).height
    return {
        "flagged": rows.height,
        "crimes_flagged": crimes,
        "crimes": int(known["is_crime"].sum()),
        "right_action": right,
        **{
            name: _share(rows.filter(holds), crimes)
            for name, holds in {"not_approved": action != "approve", "grave": action.is_in(GRAVE)}.items()
        },
        "gate": dict(rows.group_by("gate_action").len().sort("gate_action").iter_rows()),
    }


def _share(acted: pl.DataFrame, crimes: int) -> dict[str, Any]:
    caught = int(acted["is_crime"].sum())
    return {
        "actions": acted.height,
        "caught": caught,
        "precision": round(caught / max(1, acted.height), 3),
        "recall": round(caught / max(1, crimes), 3),
    }


def fraud_quality(cases: pl.DataFrame, known: pl.DataFrame) -> dict[str, Any]:
    """Groups, and those with a crime, by priority."""
    linked = cases.select("case_id", pl.col("linked_transactions").alias("transaction_id"))
    crimes = linked.explode("transaction_id", empty_as_null=True, keep_nulls=True).join(
        known.filter("is_crime"), on="transaction_id", how="semi"
    )
    rows = cases.with_columns(pl.col("case_id").is_in(crimes["case_id"].implode()).alias("crime"))
    counted = rows.group_by("priority").agg(pl.len().alias("groups"), pl.col("crime").sum()).sort("priority")
    return {"groups": rows.height, "by_priority": counted.to_dicts()}


if __name__ == "__main__":
    main(sys.argv[1])
