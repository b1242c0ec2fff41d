"""The tables that do not change with time: who cooks what, where, at what price."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from casper_ray.sim.kitchen.menu import Menu
from casper_ray.sim.kitchen.places import Location
from casper_ray.sim.kitchen.truth import money

_ID = pl.Int32


def dimensions(locations: Sequence[Location], menu: Menu) -> dict[str, pl.DataFrame]:
    """One frame a dimension: locations, brands, brand_locations, menus, categories, items.

    A brand has one menu, which carries the brand's id.
    """
    return {
        "locations": _locations(locations),
        "brands": pl.DataFrame(
            [(b.brand_id, b.name, b.cuisine) for b in menu.brands],
            schema={"brand_id": _ID, "name": pl.String, "cuisine": pl.String},
            orient="row",
        ),
        "brand_locations": _brand_locations(locations),
        "menus": pl.DataFrame(
            [(b.brand_id, b.brand_id, b.menu) for b in menu.brands],
            schema={"menu_id": _ID, "brand_id": _ID, "name": pl.String},
            orient="row",
        ),
        "categories": pl.DataFrame(
            [(c.category_id, c.brand_id, c.brand_id, c.name) for c in menu.categories],
            schema={"category_id": _ID, "menu_id": _ID, "brand_id": _ID, "name": pl.String},
            orient="row",
        ),
        "items": _items(menu),
    }


def _locations(locations: Sequence[Location]) -> pl.DataFrame:
    return pl.DataFrame(
        [(p.id, p.name, p.lat, p.lon, p.base_orders, p.daily_growth, p.opens_day) for p in locations],
        schema={
            "location_id": _ID,
            "name": pl.String,
            "lat": pl.Float64,
            "lon": pl.Float64,
            "base_orders": pl.Float64,
            "daily_growth": pl.Float64,
            "opens_day": _ID,
        },
        orient="row",
    )


def _brand_locations(locations: Sequence[Location]) -> pl.DataFrame:
    """One row per brand sold at a location; days of the dataset, `end_day` exclusive or null."""
    return pl.DataFrame(
        [
            (s.brand, place.id, s.weight, s.monthly_growth, max(s.start_day, place.opens_day), s.end_day)
            for place in locations
            for s in place.brands
        ],
        schema={
            "brand_id": _ID,
            "location_id": _ID,
            "weight": pl.Float64,
            "monthly_growth": pl.Float64,
            "start_day": _ID,
            "end_day": _ID,
        },
        orient="row",
    )


def _items(menu: Menu) -> pl.DataFrame:
    return pl.DataFrame(
        [(i.item_id, i.category_id, i.brand_id, i.brand_id, i.name) for i in menu.items],
        schema={
            "item_id": _ID,
            "category_id": _ID,
            "menu_id": _ID,
            "brand_id": _ID,
            "name": pl.String,
        },
        orient="row",
    ).with_columns(money([item.price_cents for item in menu.items]).alias("price"))
