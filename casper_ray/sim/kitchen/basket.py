"""What is in an order: brands, items, quantities, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.sim.kitchen.menu import Item, Menu
from casper_ray.sim.kitchen.places import BrandShare, Location
from casper_ray.sim.kitchen.streams import Purpose, stream

Ints = NDArray[np.int64]

MOST_BRANDS, MOST_ITEMS, MOST_QTY = 3, 3, 2
_ONE_BRAND = 0.70
_ONE_OF_IT = 0.70


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The menu as arrays: a line is an item in a quantity; line 0 is "nothing"."""

    first: Ints
    count: Ints
    cents: Ints
    text: pl.Series


def build_shelf(menu: Menu) -> Shelf:
    """The menu as baskets read it."""
    brands = np.array([item.brand_id for item in menu.items])
    ids = np.arange(1, len(menu.brands) + 1)
    quantities = range(1, MOST_QTY + 1)
    return Shelf(
        first=np.searchsorted(brands, ids),
        count=np.searchsorted(brands, ids, side="right") - np.searchsorted(brands, ids),
        cents=np.array([0, *(item.price_cents * qty for item in menu.items for qty in quantities)]),
        text=pl.Series(["", *(_line_text(item, qty) for item in menu.items for qty in quantities)]),
    )


def _line_text(item: Item, qty: int) -> str:
    price = f"{item.price_cents // 100}.{item.price_cents % 100:02d}"
    return (
        f',{{"id":{item.item_id},"category_id":{item.category_id},"menu_id":{item.brand_id},'
        f'"brand_id":{item.brand_id},"name":{json.dumps(item.name)},"price":{price},"qty":{qty}}}'
    )


def baskets(location: Location, shelf: Shelf, day: int, orders: int, seed: int) -> Ints:
    """Lines of each order, one row an order, 0 where there is none; the first is always there.

    Rules: 70 % buy from one brand, the others from two or three; one to three different items of
           each, each once (70 %) or twice. Brands are chosen by their weight on that day.
    """
    rng = stream(seed, Purpose.BASKET, location.id, day)
    sold = sold_brands(location.brands, day)
    weights = np.array([_weight(share, day) for share in sold])
    brand_ids = np.array([share.brand for share in sold])
    most = min(MOST_BRANDS, len(sold))
    # the largest of log-weight plus Gumbel noise: drawn by weight, without repeats
    keys = np.log(weights) + rng.gumbel(size=(orders, len(sold)))
    brands = brand_ids[np.argsort(-keys, axis=1)[:, :most]]
    many = rng.random(orders) >= _ONE_BRAND
    brand_count = np.minimum(np.where(many, rng.integers(2, 4, orders), 1), most)
    lines = _lines(shelf, brands, rng)
    lines[np.arange(most) >= brand_count[:, None]] = 0
    return lines.reshape(orders, most * MOST_ITEMS)


def _lines(shelf: Shelf, brands: Ints, rng: np.random.Generator) -> Ints:
    """Lines per order and brand: shape (orders, brands, MOST_ITEMS)."""
    count = shelf.count[brands - 1]
    draw = rng.random((MOST_ITEMS, *brands.shape))
    one = (draw[0] * count).astype(np.int64)
    two = (draw[1] * (count - 1)).astype(np.int64)
    two += two >= one
    three = (draw[2] * (count - 2)).astype(np.int64)
    three += three >= np.minimum(one, two)
    three += three >= np.maximum(one, two)
    item = shelf.first[brands - 1][..., None] + np.stack([one, two, three], axis=-1)
    extra = rng.random(item.shape) >= _ONE_OF_IT
    lines: Ints = 1 + item * MOST_QTY + extra
    wanted = rng.integers(1, MOST_ITEMS + 1, brands.shape)
    lines[np.arange(MOST_ITEMS) >= wanted[..., None]] = 0
    return lines


def sold_brands(shares: Sequence[BrandShare], day: int) -> list[BrandShare]:
    """The brands on sale on `day`."""
    return [s for s in shares if s.start_day <= day and (s.end_day is None or day < s.end_day)]


def _weight(share: BrandShare, day: int) -> float:
    return float(share.weight * (1.0 + share.monthly_growth) ** (day / 30))


def basket_cents(shelf: Shelf, lines: Ints) -> Ints:
    """What each order costs, in cents."""
    cents: Ints = shelf.cents[lines].sum(axis=1)
    return cents


def created_bodies(shelf: Shelf, lines: Ints, opening: pl.Expr) -> pl.Expr:
    """The order_created bodies: each order's opening, its lines, and the end."""
    text = pl.lit(shelf.text)
    first, *others = (text.gather(pl.lit(pl.Series(column))) for column in np.ascontiguousarray(lines.T))
    return pl.concat_str(opening, first.str.slice(1), *others, pl.lit("]}"))  # no comma before the first
