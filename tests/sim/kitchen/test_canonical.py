"""Seed 42, baseline, 90 days: the figures of the canonical dataset."""

from __future__ import annotations

import polars as pl
import pytest

from casper_ray.domain.kitchen import EVENT_TYPES
from casper_ray.domain.time import US_PER_DAY
from casper_ray.sim.kitchen.world import KitchenWorld

WEEKS = {1: (171, 297), 2: (53, 155), 3: (230, 234), 4: (318, 240)}


def test_as_many_orders_as_canonical(canonical: pl.DataFrame) -> None:
    assert canonical["order_id"].n_unique() == pytest.approx(75_780, rel=0.007)


def test_as_many_events_as_canonical(canonical: pl.DataFrame) -> None:
    assert canonical.height == pytest.approx(1_014_290, rel=0.03)


@pytest.mark.parametrize("location_id", WEEKS)
def test_first_and_last_week_of_each_location(
    canonical: pl.DataFrame, start_us: int, location_id: int
) -> None:
    created = canonical.filter(pl.col("event_type") == "order_created", pl.col("location_id") == location_id)
    day = (created["ts_us"] - start_us) // US_PER_DAY
    first, last = (day < 7).sum() / 7, (day >= 83).sum() / 7
    assert (first, last) == pytest.approx(WEEKS[location_id], rel=0.05)


def test_event_ids_are_unique_uuids(canonical: pl.DataFrame) -> None:
    assert canonical["event_id"].n_unique() == canonical.height
    uuid = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
    assert canonical["event_id"].str.contains(uuid).all()


def test_every_order_id_has_one_creation_and_one_delivery(canonical: pl.DataFrame) -> None:
    counts = canonical["event_type"].value_counts()
    orders = canonical["order_id"].n_unique()
    assert canonical["order_id"].str.contains(r"^[A-Z0-9]{6}$").all()
    assert set(counts["event_type"]) == set(EVENT_TYPES)
    assert counts.filter(pl.col("event_type") != "driver_ping")["count"].to_list() == [orders] * 7


def test_sequence_counts_from_zero_in_order_of_time(canonical: pl.DataFrame) -> None:
    by_order = canonical.sort("order_id", "sequence")
    steps = by_order.select(
        gap=pl.col("sequence").diff().over("order_id"), wait=pl.col("ts_us").diff().over("order_id")
    ).drop_nulls()
    firsts = by_order.group_by("order_id").agg(pl.first("sequence", "event_type"))
    assert (steps["gap"] == 1).all()
    assert (steps["wait"] >= 0).all()
    assert (firsts["sequence"] == 0).all()
    assert (firsts["event_type"] == "order_created").all()


def test_drivers_come_before_the_food_is_ready_half_the_time(canonical: pl.DataFrame) -> None:
    when = canonical.filter(pl.col("event_type").is_in(["gk_ready", "driver_arrived"])).pivot(
        "event_type", index="order_id", values="ts_us"
    )
    assert (when["driver_arrived"] < when["gk_ready"]).mean() == pytest.approx(0.5, abs=0.01)


def test_data_ends_just_after_the_last_event(world: KitchenWorld, canonical: pl.DataFrame) -> None:
    assert world.end_us() == int(canonical["ts_us"].to_numpy().max()) + 1000


def test_expected_orders_are_close_to_the_orders_that_come(
    world: KitchenWorld, canonical: pl.DataFrame, start_us: int
) -> None:
    expected = world.expected_orders(start_us, start_us + 90 * US_PER_DAY)
    assert expected == pytest.approx(canonical["order_id"].n_unique(), rel=0.01)
