"""The kitchen's pipeline, declared."""

from __future__ import annotations

from casper_ray.medallion.declare import Pipeline
from casper_ray.medallion.kitchen.gold import GOLD
from casper_ray.medallion.kitchen.source import EVENTS
from casper_ray.medallion.kitchen.tables import ADMITTED_EVENTS, ALL_EVENTS, ORDERS, SILVER_ORDER_ITEMS

PIPELINE = Pipeline(
    name="kitchen",
    catalog="caspers",
    schema="lakeflow",
    sources=(EVENTS,),
    tables=(ALL_EVENTS, ADMITTED_EVENTS, ORDERS, SILVER_ORDER_ITEMS, *GOLD),
    quality="kitchen",
)
