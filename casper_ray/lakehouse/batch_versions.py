"""What a batch of the medallion left: the tables' versions, and where simulated time stood."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    return _left(*last.row(0))


def left_by_each(catalog: Catalog, schema: str, batches: Collection[int]) -> dict[int, LeftBy]:
    """What each of some batches left; one that there is not is left out."""
    rows = scan(catalog.table(schema, "batches")).filter(pl.col("batch").is_in(list(batches)))
    found = rows.select("batch", "sim_instant", "versions").collect()
    return {row[0]: _left(*row) for row in found.iter_rows()}


def refreshed_between(catalog: Catalog, schema: str, after: int, to: int) -> bool:
    """Whether a batch in (after, to] made tables anew, so that it brought rows that others had brought before."""
    rows = scan(catalog.table(schema, "batches")).filter(pl.col("batch").is_between(after + 1, to))
    return bool(rows.select((pl.col("replaces").list.len() > 0).any()).collect().item())


def _left(number: int, instant: datetime | None, texts: list[str]) -> LeftBy:
    return LeftBy(number, instant, {name: int(text) for name, text in (pair.split("=") for pair in texts)})


def batch_that_left(catalog: Catalog, tables: Mapping[str, int]) -> int | None:
    """The newest batch that left `schema.table`s, all of one schema, at these versions; None: there is none."""
    schemas = {name.partition(".")[0] for name in tables}
    if len(schemas) != 1:
        return None
    batches = scan(catalog.table(schemas.pop(), "batches"))
    wanted = [f"{name.partition('.')[2]}={version}" for name, version in tables.items()]
    of_them = pl.all_horizontal(pl.col("versions").list.contains(text) for text in wanted)
    found = batches.filter(of_them).select(pl.col("batch").max()).collect().item()
    return None if found is None else int(found)
