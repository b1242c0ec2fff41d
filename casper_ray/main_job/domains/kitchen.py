"""Ghost kitchens."""

from __future__ import annotations

import polars as pl

from casper_ray.console.progress import Words
from casper_ray.domain.kitchen import EVENTS, ORDER_CREATED
from casper_ray.domain.time import US_PER_HOUR
from casper_ray.main_job.domains.domain import Domain, Order, Places, Truth
from casper_ray.sim.faults.chance import uuid_keys
from casper_ray.sim.feed import Feed
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.scenario import load_scenario

FEEDS = (
    Feed(
        name=EVENTS,
        key="event_id",
        keys=uuid_keys,
        place="location_id",
        numbers=("location_id", "sequence"),
        counted=ORDER_CREATED,
    ),
)


def _world(order: Order) -> KitchenWorld:
    scenario = load_scenario(order.scenario)
    return KitchenWorld.build(scenario, order.seed, order.days, order.epoch, loop=order.loop)


def _orders(world: KitchenWorld, first_day: int, end_day: int) -> pl.DataFrame:
    """One row per order created on these days; see KitchenWorld.truth."""
    if first_day == end_day:
        return world.truth(world.location_ids[0], 0).clear()
    days = range(first_day, end_day)
    return pl.concat([world.truth(location, day) for day in days for location in world.location_ids])


KITCHEN = Domain(
    name="kitchen",
    scenario="baseline",
    start_day=70,
    build=_world,
    feeds=FEEDS,
    truth=(Truth(table="orders", rows=_orders, stats=("location_id", "order_day")),),
    places=Places(
        table="gold_location_sales_hourly",
        place="location_id",
        instant="hour_ts",
        counted="orders",
        amount="revenue",
        period_us=US_PER_HOUR,
        dimension="locations",
        name="name",
    ),
    words=Words(counted="orders", places="locations", amount="revenue", currency_sign="$", period="hour"),
    loops=True,
    next_steps=(
        ("python -m casper_ray.sim --speed 86400 --for 30s{sim}", "go on from here, a day a second"),
        ("casper lake show gold_brand_sales_day{lake}", "look at a table"),
        ("python -m casper_ray.sim --scenario kitchen_fire --speed max --lake .casper/fire", "another story"),
    ),
)
