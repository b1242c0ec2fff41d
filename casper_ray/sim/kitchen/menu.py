"""What the brands sell: one menu a brand, categories, items with exact prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.errors import ConfigError

_LEAST_ITEMS = 3  # a basket takes up to three different items of a brand


class _BrandEntry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    cuisine: str
    menu: str
    categories: dict[str, dict[str, Decimal]]


class _MenuFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    brands: list[_BrandEntry] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that can be ordered. A brand's only menu carries the brand's id."""

    item_id: int
    category_id: int
    brand_id: int
    name: str
    price_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A heading on a brand's menu."""

    category_id: int
    brand_id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A virtual restaurant and its one menu."""

    brand_id: int
    name: str
    cuisine: str
    menu: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """All brands, categories and items; ids count from 1; a brand's items stand together."""

    brands: tuple[Brand, ...]
    categories: tuple[Category, ...]
    items: tuple[Item, ...]


@cache
def load_menu() -> Menu:
    """The menu of configs/kitchen/menu.yml.

    Raises: ConfigError if the file does not fit, or a brand sells fewer than three items.
    """
    path = configs_dir() / "kitchen" / "menu.yml"
    entries = checked(_MenuFile, load_mapping(path), str(path)).brands
    brands: list[Brand] = []
    categories: list[Category] = []
    items: list[Item] = []
    for brand_id, entry in enumerate(entries, start=1):
        brands.append(Brand(brand_id=brand_id, name=entry.name, cuisine=entry.cuisine, menu=entry.menu))
        if sum(map(len, entry.categories.values())) < _LEAST_ITEMS:
            raise ConfigError(f"{path}: brand {entry.name!r} sells fewer than {_LEAST_ITEMS} items")
        for heading, sold in entry.categories.items():
            category = Category(category_id=len(categories) + 1, brand_id=brand_id, name=heading)
            categories.append(category)
            items.extend(_items(sold, category, first_id=len(items) + 1))
    return Menu(brands=tuple(brands), categories=tuple(categories), items=tuple(items))


def _items(sold: dict[str, Decimal], category: Category, first_id: int) -> list[Item]:
    return [
        Item(
            item_id=item_id,
            category_id=category.category_id,
            brand_id=category.brand_id,
            name=name,
            price_cents=int(price * 100),
        )
        for item_id, (name, price) in enumerate(sold.items(), start=first_id)
    ]
