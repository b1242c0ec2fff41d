"""The kitchen's pipeline without watermark and rules: what counting once and judging is measured against."""

from __future__ import annotations

from dataclasses import replace

from casper_ray.medallion.kitchen.pipeline import PIPELINE as KITCHEN

PIPELINE = replace(
    KITCHEN,
    quality=None,
    tables=tuple(replace(table, watermark=None, expectations=()) for table in KITCHEN.tables),
)
