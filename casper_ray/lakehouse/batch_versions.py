"""What a batch of the medallion left: the tables' versions, and where simulated time stood."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import polars as pl

from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan


class LeftBy(NamedTuple):
    """batch: -1 before the first. sim_instant: None where nobody told the time. versions: by table."""

    batch: int
    sim_instant: datetime | None
    versions: dict[str, int]


def left_by(catalog: Catalog, schema: str, batch: int | None = None) -> LeftBy:
    """What `batch` of the schema's pipeline left; None: the newest. Raises: LakeError where there are no batches."""
    batches = scan(catalog.table(schema, "batches"))
    if batch is not None:
        batches = batches.filter(pl.col("batch") == batch)
    last = batches.select("batch", "sim_instant", "versions").sort("batch").tail(1).collect()
    if last.is_empty():
        return LeftBy(-1, None, {})
    number, instant, texts = last.row(0)
    return LeftBy(number, instant, {name: int(text) for name, text in (pair.split("=") for pair in texts)})
