"""The menu's figures and the dimension tables' keys."""

from __future__ import annotations

import polars as pl
import pytest

from casper_ray.sim.kitchen.world import KitchenWorld


@pytest.fixture(scope="module")
def tables(world: KitchenWorld) -> dict[str, pl.DataFrame]:
    return world.dimensions()


def test_as_many_brands_menus_categories_and_items_as_canonical(tables: dict[str, pl.DataFrame]) -> None:
    heights = [tables[name].height for name in ("brands", "menus", "categories", "items", "locations")]
    assert heights == [24, 24, 112, 181, 4]


def test_prices_are_canonical(tables: dict[str, pl.DataFrame]) -> None:
    price = tables["items"]["price"]
    assert price.dtype == pl.Decimal(18, 2)
    assert [str(price.min()), str(price.max())] == ["2.02", "21.99"]
    assert price.cast(pl.Float64).mean() == pytest.approx(7.65, abs=0.01)


def test_names_are_told_apart(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["brands"]["name"].is_unique().all()
    assert tables["items"].select("brand_id", "name").is_unique().all()


def test_keys_join(tables: dict[str, pl.DataFrame]) -> None:
    items, categories, menus = tables["items"], tables["categories"], tables["menus"]
    assert items.join(categories, on=["category_id", "menu_id", "brand_id"], how="anti").is_empty()
    assert categories.join(menus, on=["menu_id", "brand_id"], how="anti").is_empty()
    assert menus.join(tables["brands"], on="brand_id", how="anti").is_empty()
    assert tables["brand_locations"].join(tables["brands"], on="brand_id", how="anti").is_empty()


def test_five_to_seven_brands_a_location_and_a_few_dormant(tables: dict[str, pl.DataFrame]) -> None:
    shares = tables["brand_locations"]
    assert shares.group_by("location_id").len()["len"].is_between(5, 7).all()
    assert 1 <= 24 - shares["brand_id"].n_unique() <= 5
    launches = shares.filter(pl.col("start_day") == 45)
    assert launches["location_id"].to_list() == [2]
    assert shares.filter(pl.col("end_day") == 60)["location_id"].to_list() == [4]
