"""What stands in the events of an order: basket, route, pings, delivery."""

from __future__ import annotations

import json
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Any

import polars as pl
import pytest

from casper_ray.domain.kitchen import EVENT_TYPES
from casper_ray.sim.kitchen.menu import load_menu
from casper_ray.sim.kitchen.world import KitchenWorld

Point = list[float]


def miles(a: Point, b: Point) -> float:
    lat1, lon1, lat2, lon2 = map(radians, (*a, *b))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 3958.7613 * asin(sqrt(half))


@pytest.fixture(scope="session")
def lives(one_day: pl.DataFrame) -> list[list[dict[str, Any]]]:
    """A sample of orders: their events in sequence, bodies parsed."""
    sample = one_day["order_id"].unique().sort().gather_every(4)
    events = one_day.filter(pl.col("order_id").is_in(sample.implode())).sort("order_id", "sequence")
    rows = [row | {"body": json.loads(row["body"])} for row in events.iter_rows(named=True)]
    by_order: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_order.setdefault(row["order_id"], []).append(row)
    return list(by_order.values())


def named(life: list[dict[str, Any]], event_type: str) -> dict[str, Any]:
    return next(event for event in life if event["event_type"] == event_type)


def test_stages_come_in_their_natural_order(lives: list[list[dict[str, Any]]]) -> None:
    for life in lives:
        kinds = [e["event_type"] for e in life if e["event_type"] not in ("driver_arrived", "driver_ping")]
        assert kinds == [k for k in EVENT_TYPES if k not in ("driver_arrived", "driver_ping")]


def test_drive_takes_the_route_at_25_mph(lives: list[list[dict[str, Any]]]) -> None:
    for life in lives:
        picked_up, delivered = named(life, "driver_picked_up"), named(life, "delivered")
        route = picked_up["body"]["route_points"]
        length = sum(miles(a, b) for a, b in pairwise(route))
        drive_ms = (delivered["ts_us"] - picked_up["ts_us"]) / 1000
        assert drive_ms == pytest.approx(length / 25 * 3_600_000, abs=1)


def test_routes_lead_from_the_kitchen_to_the_customer(
    lives: list[list[dict[str, Any]]], world: KitchenWorld
) -> None:
    kitchens = {p.id: [p.lat, p.lon] for p in world.locations}
    for life in lives:
        created, delivered = life[0]["body"], life[-1]["body"]
        route = named(life, "driver_picked_up")["body"]["route_points"]
        home = [created["customer_lat"], created["customer_lon"]]
        assert 30 <= len(route) <= 79
        assert route[0] == kitchens[life[0]["location_id"]]
        assert route[-1] == home == [delivered["delivered_lat"], delivered["delivered_lon"]]
        assert miles(route[0], home) <= 4.0
        assert created["customer_addr"]


def test_pings_come_every_minute_until_the_last_one(lives: list[list[dict[str, Any]]]) -> None:
    for life in lives:
        start, end = named(life, "driver_picked_up")["ts_us"], life[-1]["ts_us"]
        pings = [e for e in life if e["event_type"] == "driver_ping"]
        assert [p["ts_us"] for p in pings] == list(
            range(start + 60_000_000, end - 60_000_000 + 1, 60_000_000)
        )
        for ping in pings:
            share = (ping["ts_us"] - start) / (end - start)
            assert ping["body"]["progress_pct"] == pytest.approx(100 * share, abs=0.051)


def test_pings_lie_on_the_route(lives: list[list[dict[str, Any]]]) -> None:
    for life in lives[:40]:
        route = named(life, "driver_picked_up")["body"]["route_points"]
        for ping in (e["body"] for e in life if e["event_type"] == "driver_ping"):
            here = [ping["loc_lat"], ping["loc_lon"]]
            detour = min(miles(a, here) + miles(here, b) - miles(a, b) for a, b in pairwise(route))
            assert detour < 1e-3


def test_baskets_follow_the_menu(lives: list[list[dict[str, Any]]]) -> None:
    menu = {item.item_id: item for item in load_menu().items}
    for life in lives:
        items = life[0]["body"]["items"]
        assert items
        for line in items:
            item = menu[line["id"]]
            assert line["price"] == item.price_cents / 100
            assert (line["name"], line["brand_id"], line["category_id"]) == (
                item.name,
                item.brand_id,
                item.category_id,
            )
            assert line["menu_id"] == line["brand_id"]
            assert line["qty"] in (1, 2)
        brands = [line["brand_id"] for line in items]
        assert 1 <= len(set(brands)) <= 3
        assert all(1 <= brands.count(b) <= 3 for b in brands)
        assert len({line["id"] for line in items}) == len(items)


def test_seven_of_ten_orders_are_of_one_brand(lives: list[list[dict[str, Any]]]) -> None:
    single = [len({line["brand_id"] for line in life[0]["body"]["items"]}) == 1 for life in lives]
    assert sum(single) / len(single) == pytest.approx(0.7, abs=0.1)


def test_some_customers_order_again(one_day: pl.DataFrame) -> None:
    created = one_day.filter(pl.col("event_type") == "order_created")
    homes = created["body"].str.json_path_match("$.customer_addr")
    assert homes.n_unique() < created.height
