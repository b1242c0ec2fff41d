"""Truth agrees with the events, and measures lateness against the undisturbed world."""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl
import pytest

from casper_ray.domain.kitchen import EVENTS
from casper_ray.domain.time import US_PER_DAY
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.scenario import load_scenario

INSTANT = pl.Datetime("us", "UTC")


@pytest.fixture(scope="session")
def truth(world: KitchenWorld) -> pl.DataFrame:
    return pl.concat([world.truth(i, d) for i in world.location_ids for d in range(30, 45)])


def test_truth_tells_the_times_of_the_events(world: KitchenWorld, truth: pl.DataFrame, start_us: int) -> None:
    events = world.events(EVENTS, start_us + 30 * US_PER_DAY, start_us + 46 * US_PER_DAY)
    at = events.filter(pl.col("event_type") != "driver_ping").pivot(
        "event_type", index="order_id", values="ts_us"
    )
    both = truth.join(at, on="order_id", how="left")
    minutes = {
        "kitchen_minutes": ("order_created", "gk_ready"),
        "handover_minutes": ("gk_ready", "driver_picked_up"),
        "drive_minutes": ("driver_picked_up", "delivered"),
        "total_minutes": ("order_created", "delivered"),
    }
    assert both.height == truth.height == truth["order_id"].n_unique()
    assert (both["created_ts"] == both["order_created"].cast(INSTANT)).all()
    assert (both["delivered_ts"] == both["delivered"].cast(INSTANT)).all()
    for name, (first, last) in minutes.items():
        assert ((both[last] - both[first]) / 60e6 - both[name]).abs().to_numpy().max() < 1e-9


def test_order_total_is_the_sum_of_the_basket(
    world: KitchenWorld, truth: pl.DataFrame, start_us: int
) -> None:
    events = world.events(EVENTS, start_us + 31 * US_PER_DAY, start_us + 32 * US_PER_DAY)
    created = events.filter(pl.col("event_type") == "order_created")
    totals = dict(truth.select("order_id", "order_total").iter_rows())
    for order_id, body in created.select("order_id", "body").iter_rows():
        items = json.loads(body, parse_float=Decimal)["items"]
        assert totals[order_id] == sum(line["price"] * line["qty"] for line in items)
    assert truth.schema["order_total"] == pl.Decimal(18, 2)


def test_a_quarter_is_late_and_a_hundredth_very_late(truth: pl.DataFrame) -> None:
    share = {name: (truth["lateness"] == name).mean() for name in ("on_time", "late", "very_late")}
    assert share == pytest.approx({"on_time": 0.75, "late": 0.24, "very_late": 0.01}, abs=0.02)


def test_lateness_cause_and_late_minutes_belong_together(truth: pl.DataFrame) -> None:
    on_time = truth.filter(pl.col("lateness") == "on_time")
    late = truth.filter(pl.col("lateness") != "on_time")
    stages = ("kitchen", "handover", "drive")
    largest = pl.max_horizontal(f"{s}_delay_minutes" for s in stages)
    assert set(on_time["true_cause"]) == {"none"}
    assert (on_time["late_minutes"] == 0).all()
    assert (late["late_minutes"] > 0).all()
    for stage in stages:
        caused = late.filter(pl.col("true_cause") == stage).with_columns(largest=largest)
        assert caused.height
        assert (caused["largest"] == caused[f"{stage}_delay_minutes"]).all()


def test_percentiles_are_ordered_and_of_the_location(truth: pl.DataFrame) -> None:
    each = truth.select("location_id", "p50_minutes", "p75_minutes", "p99_minutes").unique()
    assert each.height == 4
    assert (each["p50_minutes"] < each["p75_minutes"]).all()
    assert each["p50_minutes"].is_between(27, 31).all()
    assert each["p75_minutes"].is_between(30, 34).all()
    assert each["p99_minutes"].is_between(37, 40).all()


def test_incidents_do_not_move_the_yardstick(world: KitchenWorld) -> None:
    shortage = KitchenWorld.build(load_scenario("driver_shortage"), seed=42)
    usual, disturbed = world.truth(4, 74), shortage.truth(4, 74)
    assert usual["p75_minutes"].to_list() == disturbed["p75_minutes"].to_list()
    late = [(orders["lateness"] != "on_time").to_numpy().mean() for orders in (usual, disturbed)]
    assert late[0] < late[1]


def test_a_looped_day_has_the_truth_of_its_events(world: KitchenWorld) -> None:
    first, again = world.truth(2, 5), world.truth(2, 95)
    assert again["order_id"].to_list() == [f"{order_id}-L1" for order_id in first["order_id"]]
    assert (again["created_ts"] - first["created_ts"]).unique().to_list()[0].days == 90
