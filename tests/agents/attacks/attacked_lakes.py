"""Lakes to attack: complaints of hand-made orders, and a bank with alerts, credit lines and listed payees."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from bank_canaries import bank_cases, with_decided_alerts
from bitter_lake import NOON, drop, lake, lines, orders, run
from small_bank import SmallBank

from casper_ray.agents.registry import load_agent
from casper_ray.lakehouse.names import Catalog

_ORDERS = 140
_END = 1_440.0
_WROTE = ("My order was far too late.", "The Soup was missing.", "The soup was cold.", "It was burnt.")
_LISTED = 16
_TRANSFERS = 40


def attacked_complaints(folder: Path) -> Catalog:
    """Of each order but the first forty somebody complains, half an hour after it came."""
    catalog, made = lake(folder), orders(_ORDERS)
    drop(catalog, "r-42", 0, (0, _END), lines(made, {}))
    run(catalog)
    told = []
    for number, order in enumerate(made[40:]):
        at = NOON + timedelta(minutes=order.delivered + 30)
        complaint = {
            "complaint_id": f"c-{order.order_id}",
            "ts": f"{at:%Y-%m-%d %H:%M:%S}.000",
            "order_id": order.order_id,
            "sender": f"{int(order.order_id[1:])} Quay St",
            "language": "en",
            "text": _WROTE[number % len(_WROTE)],
        }
        told.append(json.dumps(complaint).encode() + b"\n")
    drop(catalog, "c-1", 0, (0, _END), b"".join(told), feed="complaints")
    run(catalog, "casper_ray.medallion.support.pipeline:PIPELINE")
    return catalog


def attacked_bank(bank: SmallBank, folder: Path) -> Catalog:
    """A copy in which the alert agent has decided, so that there are groups, and some payees are on the list."""
    catalog = with_decided_alerts(bank, folder)
    listed = pl.DataFrame({"name": payees(catalog).head(_LISTED)["name"]}).select(
        pl.format("LISTED-{}", pl.int_range(pl.len())).alias("entry_id"),
        "name",
        pl.lit([], pl.List(pl.String)).alias("aliases"),
        pl.lit("QZ").alias("country"),
        pl.lit(date(2020, 1, 1)).alias("listed_on"),
    )
    listed.write_delta(str(catalog.table("simulator", "sanctions_list")), mode="append")
    return catalog


def payees(catalog: Catalog) -> pl.DataFrame:
    """transaction_id, name: of people outside who are paid, the first transfer to each."""
    wires = SmallBank(catalog).table("wire_events").filter(pl.col("direction") == "outgoing")
    words = pl.col("payee_name").str.split(" ").list.len()
    people = wires.filter(pl.col("event_type") == "transaction_settled", words == 2)
    names = people.sort("transaction_id").unique("payee_name", keep="first", maintain_order=True)
    return names.select("transaction_id", pl.col("payee_name").alias("name"))


def bank_hosts(name: str, catalog: Catalog) -> pl.DataFrame:
    """Cases to attack; of transfers those to the listed first."""
    agent = load_agent(name)
    store = agent.open_store(catalog, None)
    own = agent.cases(store, -1, store.batch)
    if name == "screening":
        wanted = payees(catalog).head(_TRANSFERS)["transaction_id"]
        return own.filter(pl.col("subject").is_in(wanted.implode()))
    return bank_cases(agent, catalog) if own.is_empty() else own
