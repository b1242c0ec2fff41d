"""Each scenario changes what it says, and nothing else."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from casper_ray.domain.kitchen import EVENTS
from casper_ray.domain.time import US_PER_DAY
from casper_ray.errors import ConfigError
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.scenario import Scenario, load_scenario


def built(names: str) -> KitchenWorld:
    return KitchenWorld.build(load_scenario(names), seed=42)


def same_day(one: KitchenWorld, other: KitchenWorld, location_id: int, day: int) -> bool:
    return one.truth(location_id, day).drop("incident").equals(other.truth(location_id, day).drop("incident"))


def test_driver_shortage_leaves_other_days_and_locations_alone(world: KitchenWorld, start_us: int) -> None:
    shortage = built("driver_shortage")
    window = (start_us + 60 * US_PER_DAY, start_us + 61 * US_PER_DAY)
    assert_frame_equal(shortage.events(EVENTS, *window), world.events(EVENTS, *window))
    assert same_day(shortage, world, 4, 71)
    assert same_day(shortage, world, 3, 74)
    assert not same_day(shortage, world, 4, 72)


def test_driver_shortage_lengthens_only_the_wait_for_the_driver(world: KitchenWorld) -> None:
    usual, short = world.truth(4, 74), built("driver_shortage").truth(4, 74)
    touched = short["incident"].is_not_null()
    hours = short.filter(touched)["created_ts"].dt.hour()
    assert short["kitchen_minutes"].equals(usual["kitchen_minutes"])
    assert short["drive_minutes"].equals(usual["drive_minutes"])
    assert short["order_total"].equals(usual["order_total"])
    assert short.filter(~touched)["total_minutes"].equals(usual.filter(~touched)["total_minutes"])
    assert hours.is_between(17, 22).all()
    more = short.filter(touched)["handover_minutes"] - usual.filter(touched)["handover_minutes"]
    assert more.mean() == pytest.approx(11, abs=2)


def test_fire_stops_the_kitchen_and_then_lets_it_recover(world: KitchenWorld) -> None:
    fire = built("kitchen_fire")
    day = fire.truth(3, 74).with_columns(hour=pl.col("created_ts").dt.hour())
    held = day.filter(pl.col("incident") == "bellevue_kitchen_fire")
    assert held.height
    assert set(held.filter(pl.col("lateness") != "on_time")["true_cause"]) == {"kitchen"}
    ready = held["created_ts"] + (held["kitchen_minutes"] * 60e6).cast(pl.Duration("us"))
    assert (ready.dt.hour() + ready.dt.minute() / 60 >= 20.5).all()
    assert day.height < world.truth(3, 74).height
    burning, usual = (one.truth(3, 75)["kitchen_minutes"].to_numpy().mean() for one in (fire, world))
    assert burning > usual
    assert same_day(fire, world, 3, 73)
    assert same_day(fire, world, 3, 76)


def test_holiday_rush_brings_orders_and_slow_kitchens(world: KitchenWorld) -> None:
    rush = built("holiday_rush")
    days = range(71, 78)
    usual = pl.concat([world.truth(1, d) for d in days])
    busy = pl.concat([rush.truth(1, d) for d in days])
    slowed = busy.filter(pl.col("incident") == "holiday_rush")
    assert busy.height == pytest.approx(1.7 * usual.height, rel=0.05)
    assert slowed.height > 100
    slow, fast = (orders["kitchen_minutes"].to_numpy().mean() for orders in (slowed, usual))
    assert slow > fast + 1
    assert same_day(rush, world, 1, 70)
    assert same_day(rush, world, 1, 78)


def test_new_city_opens_on_its_day_and_changes_no_other(world: KitchenWorld) -> None:
    grown = built("new_city")
    assert grown.location_ids == (1, 2, 3, 4, 5)
    assert grown.truth(5, 29).is_empty()
    assert 20 < grown.truth(5, 30).height < grown.truth(5, 85).height
    assert same_day(grown, world, 2, 50)
    assert grown.dimensions()["locations"].height == 5


def test_brands_launch_and_leave_on_their_days(world: KitchenWorld, start_us: int) -> None:
    def sold(location_id: int, day: int) -> set[int]:
        start = start_us + day * US_PER_DAY
        events = world.events(EVENTS, start, start + US_PER_DAY, [location_id])
        bodies = events.filter(pl.col("event_type") == "order_created")["body"]
        return {int(b) for b in bodies.str.extract_all(r'"brand_id":\d+').explode().str.slice(11)}

    assert 22 not in sold(2, 44)
    assert 22 in sold(2, 46)
    assert 21 in sold(4, 59)
    assert 21 not in sold(4, 60)


def test_big_gives_forty_million_events() -> None:
    big = built("big")
    start = int(big.epoch.timestamp()) * 1_000_000
    orders = big.expected_orders(start, start + big.days * US_PER_DAY)
    assert len(big.locations) == 20
    assert orders * 13.6 > 40e6


def test_replicas_are_other_cities_of_the_same_kind() -> None:
    scenario = Scenario.model_validate({"name": "six", "replicas": {"locations": 6}})
    world = KitchenWorld.build(scenario, seed=42, days=2)
    assert [p.name for p in world.locations][4:] == ["San Francisco 2", "Silicon Valley 2"]
    first, copy = world.truth(1, 0), world.truth(5, 0)
    assert set(first["order_id"]).isdisjoint(copy["order_id"])


def test_incidents_at_unknown_locations_are_refused() -> None:
    raw = {"name": "x", "incidents": [{"name": "y", "days": [1, 2], "locations": [8]}]}
    with pytest.raises(ConfigError, match=r"'y' names unknown locations \[8\].*known are \[1, 2, 3, 4\]"):
        KitchenWorld.build(Scenario.model_validate(raw), seed=1)
