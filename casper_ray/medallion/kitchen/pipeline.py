"""The kitchen's pipeline, declared."""

from __future__ import annotations

from casper_ray.medallion.declare import Pipeline
from casper_ray.medallion.kitchen.gold import GOLD
from casper_ray.medallion.kitchen.source import EVENTS
from casper_ray.medallion.kitchen.tables import ALL_EVENTS, SILVER_ORDER_ITEMS

PIPELINE = Pipeline(
    name="kitchen",
    catalog="caspers",
    schema="lakeflow",
    source=EVENTS,
    tables=(ALL_EVENTS, SILVER_ORDER_ITEMS, *GOLD),
)
