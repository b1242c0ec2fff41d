"""The canonical dataset, made once a session, and small worlds beside it."""

from __future__ import annotations

import polars as pl
import pytest

from casper_ray.domain.kitchen import EVENTS
from casper_ray.domain.time import US_PER_DAY
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.scenario import load_scenario


@pytest.fixture(scope="session")
def world() -> KitchenWorld:
    return KitchenWorld.build(load_scenario("baseline"), seed=42)


@pytest.fixture(scope="session")
def start_us(world: KitchenWorld) -> int:
    return int(world.epoch.timestamp()) * 1_000_000


@pytest.fixture(scope="session")
def canonical(world: KitchenWorld, start_us: int) -> pl.DataFrame:
    """All events of the 90 days, without their bodies."""
    days = (
        world.events(EVENTS, start_us + d * US_PER_DAY, start_us + (d + 1) * US_PER_DAY).drop("body", "ts")
        for d in range(world.days + 1)
    )
    return pl.concat(list(days))


@pytest.fixture(scope="session")
def one_day(world: KitchenWorld, start_us: int) -> pl.DataFrame:
    """Day 40 with its bodies: orders that began and ended in it."""
    events = world.events(EVENTS, start_us + 40 * US_PER_DAY, start_us + 41 * US_PER_DAY)
    ends = events.group_by("order_id").agg(pl.col("event_type").is_in(["order_created", "delivered"]).sum())
    return events.join(ends.filter(pl.col("event_type") == 2).select("order_id"), on="order_id")
