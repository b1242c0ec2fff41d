"""Somebody who reads while the tables change: every snapshot is whole, and counts no order twice."""

from __future__ import annotations

import signal
import time
from itertools import pairwise

import polars as pl
import pytest
from children import SIM, Children, wait_until
from lakes import GOLD_KEYS, TEN, Lake

from casper_ray.lakehouse.read import scan

pytestmark = [pytest.mark.ray, pytest.mark.cli]

LONGEST_S = 60.0
COUNTS_ORDERS = ("gold_order_header", "gold_location_sales_hourly", "gold_location_peak_hours")


def read(lake: Lake, table: str, version: int | None = None) -> pl.DataFrame:
    return scan(lake.path(table), version=version).collect()


def orders_in(table: str, rows: pl.DataFrame) -> int:
    return rows.height if table == "gold_order_header" else int(rows["orders"].sum())


def landed_orders(lake: Lake) -> int:
    return sum(file.read_bytes().count(b'"event_type":"order_created"') for file in lake.files())


def watch(lake: Lake, changes: int) -> dict[str, list[int]]:
    """Orders of each table that counts them, look after look, until each has changed so often."""
    seen: dict[str, list[int]] = {table: [] for table in COUNTS_ORDERS}
    deadline_s = time.monotonic() + LONGEST_S
    while any(len(set(counts)) <= changes for counts in seen.values()):
        assert time.monotonic() < deadline_s, f"the tables stand still: {seen}"
        for table, keys in GOLD_KEYS.items():
            rows = read(lake, table)
            assert rows.select(keys).is_unique().all(), table
            if table in seen:
                seen[table].append(orders_in(table, rows))
                assert seen[table][-1] <= landed_orders(lake), table
    return seen


def assert_tables_agree_after_each_batch(lake: Lake) -> None:
    """At the versions that a batch left, every table counts the same orders and the same money."""
    for row in lake.table("batches").sort("batch").iter_rows(named=True):
        of_table = {name: int(at) for name, at in (pair.split("=") for pair in row["versions"])}
        orders = {name: orders_in(name, read(lake, name, of_table[name])) for name in COUNTS_ORDERS}
        orders["silver"] = read(lake, "silver_order_items", of_table["silver_order_items"])[
            "order_id"
        ].n_unique()
        assert len(set(orders.values())) == 1, (row["batch"], orders)
        columns = {"gold_order_header": "order_revenue", "gold_brand_sales_day": "brand_revenue"}
        columns |= {"gold_item_sales_day": "gross_revenue"}
        money = {
            name: read(lake, name, of_table[name])[columns.get(name, "revenue")].sum() for name in GOLD_KEYS
        }
        assert len(set(money.values())) == 1, (row["batch"], money)


def test_a_reader_never_sees_an_order_twice_nor_half_a_batch(children: Children, lake: Lake) -> None:
    fast = ("--speed", "43200", "--tick", "250ms", "--from", TEN, "--json")
    with children.started(*SIM, *lake.options, *fast) as running:
        wait_until(lambda: lake.is_live(running.process.pid), "the replay is live")
        seen = watch(lake, changes=4)
        running.signal(signal.SIGINT)
        ended = running.wait()
    assert ended.code == 130, ended.err
    for table, counts in seen.items():
        assert all(earlier <= later for earlier, later in pairwise(counts)), (table, counts)
        assert orders_in(table, read(lake, table)) == ended.summary["orders"] == landed_orders(lake)
    assert_tables_agree_after_each_batch(lake)
