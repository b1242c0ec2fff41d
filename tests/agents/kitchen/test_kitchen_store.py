"""What the kitchen's store holds: the first that could be known of an order, and nothing before it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from kitchen_lake import created, delivered, drop_window, store_of
from polars.testing import assert_frame_equal
from small_lake import NOON, SmallLake

from casper_ray.agents.kitchen.refund import cases
from casper_ray.agents.kitchen.store import KitchenStore, customer_key
from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def of(store: KitchenStore, order: str) -> dict[str, object]:
    return store.orders.row(by_predicate=pl.col("order_id") == order, named=True)


def test_a_store_that_followed_is_the_store_that_began_later(kitchen_lake: Catalog) -> None:
    followed = KitchenStore(kitchen_lake, 1)
    for batch in (2, 3, 5, None):
        assert followed.follow(batch)
    assert not followed.follow()
    fresh = KitchenStore(kitchen_lake)
    assert fresh.orders.height > 500
    assert_frame_equal(followed.orders, fresh.orders)
    assert followed.versions == fresh.versions
    assert_frame_equal(followed.customers(), fresh.customers(), check_row_order=False)


def test_delivered_twice_counts_as_delivered_first(tmp_path: Path) -> None:
    store = store_of(tmp_path, [created("A", 1), delivered("A", 30), delivered("A", 50, number=8)])
    assert of(store, "A")["minutes"] == 29
    assert cases(store, 0, 1)["at"].to_list() == [at(30)]


def test_a_second_delivery_in_a_later_batch_is_no_second_case(tmp_path: Path) -> None:
    store = store_of(tmp_path, [created("A", 1), delivered("A", 30)], [delivered("A", 70, number=8)])
    assert cases(store, 0, 1).height == 1
    assert cases(store, 1, 2).is_empty()


def test_a_second_creation_changes_neither_total_nor_customer_nor_instant(tmp_path: Path) -> None:
    second = created("A", 65, price=5000, address="2 Other St", number=9)
    store = store_of(tmp_path, [created("A", 1), delivered("A", 30)], [second])
    order = of(store, "A")
    assert (order["total"], order["created"], order["minutes"]) == (Decimal("20.00"), at(1), 29)
    assert store.customers_of(pl.Series(["A"])).rows() == [("A", customer_key("1 Quay St"))]


def test_created_in_a_later_batch_than_delivered_is_a_case_of_the_later(tmp_path: Path) -> None:
    store = store_of(tmp_path, [delivered("A", 30)], [created("A", 1)])
    assert cases(store, 0, 1).is_empty()
    told = cases(store, 1, 2)
    assert told.select("subject", "at", "source_batch").rows() == [("A", at(60), 2)]


def test_never_created_is_no_case(tmp_path: Path) -> None:
    store = store_of(tmp_path, [created("B", 1), delivered("A", 30)])
    assert cases(store, 0, 1).is_empty()


def test_a_late_delivery_does_not_count(tmp_path: Path) -> None:
    later = [created("B", 600)]
    store = store_of(tmp_path, [created("A", 1)], later, [delivered("A", 30)], minutes=601)
    assert of(store, "A")["delivered"] is None
    assert cases(store, 0, 3).is_empty()


@pytest.mark.parametrize("address", ["1 Quay St", 'O"Neill \\ Sons', "Straße 5, Köln", "点心路 7"])
def test_addresses_of_any_writing_are_told_apart(tmp_path: Path, address: str) -> None:
    store = store_of(tmp_path, [created("A", 1, address=address), created("B", 2, address=address + "x")])
    keys = dict(store.customers_of(pl.Series(["A", "B"])).rows())
    assert None not in keys.values()
    assert keys["A"] != keys["B"]


def test_no_store_before_the_first_batch(tmp_path: Path) -> None:
    with pytest.raises(LakeError):
        KitchenStore(SmallLake.at(tmp_path).catalog)


def test_a_store_before_any_batch_it_may_see_says_so(kitchen_lake: Catalog) -> None:
    store = KitchenStore(kitchen_lake, -1)
    assert store.batch == -1
    assert cases(store, -1, -1).is_empty()
    with pytest.raises(LakeError, match="first batch"):
        store.events()


def test_a_batch_brings_its_cases_once(kitchen_lake: Catalog, kitchen_store: KitchenStore) -> None:
    singly = [cases(kitchen_store, batch - 1, batch) for batch in range(1, kitchen_store.batch + 1)]
    together = cases(kitchen_store, 0, kitchen_store.batch)
    assert_frame_equal(pl.concat(singly).sort("at", "case_id"), together)
    assert together["case_id"].is_unique().all()


def test_a_store_pinned_to_a_batch_stays_there(tmp_path: Path) -> None:
    lake = SmallLake.at(tmp_path)
    drop_window(lake, 0, [created("A", 1), delivered("A", 30)])
    store = KitchenStore(lake.catalog, 1)
    drop_window(lake, 1, [created("B", 61), delivered("B", 70)])
    assert store.orders["order_id"].to_list() == ["A"]
    assert not KitchenStore(lake.catalog, 1).orders["order_id"].is_in(["B"]).any()
    assert store.follow()
    assert sorted(store.orders["order_id"]) == ["A", "B"]
