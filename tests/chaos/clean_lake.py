"""A lake made by the pipeline's own runner, here and with nobody in the way: what others are held against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from lakes import Lake
from told_events import drop_file

from casper_ray.domain.time import SimMicros
from casper_ray.lakehouse.names import open_catalog
from casper_ray.medallion.runner import BatchReport, Runner
from casper_ray.medallion.standalone import pipeline_lease
from casper_ray.sim.window import Part, Window, file_name

PIPELINE = "casper_ray.medallion.kitchen.pipeline:PIPELINE"


def clean_lake(folder: Path, batches: Iterable[Sequence[pl.DataFrame]]) -> Lake:
    """A lake of these batches of files, in this order.

    Files are named by it, as anybody's might be; those whose lines have an `arrival_us`, as a replay names the window
    in which they arrived, so that the watermark follows them as closely as it can.
    """
    lake = Lake(folder)
    catalog = open_catalog(str(lake.folder), lake.catalog)
    number = 0
    with pipeline_lease(catalog, "kitchen"):
        runner = Runner(PIPELINE, catalog)
        for files in batches:
            for events in files:
                drop_file(lake.volume, _name(number, events), events)
                number += 1
            for _ in runner.run_available():
                pass
    return lake


def _name(number: int, events: pl.DataFrame) -> str:
    if "arrival_us" not in events.columns:
        return f"told-{number:06d}.json"
    first, last = events["arrival_us"].min(), events["arrival_us"].max()
    window = Window(number, SimMicros(int(first)), SimMicros(int(last) + 1000))
    return file_name("told", Part(window, 0, window.from_us, window.to_us))


def take_in(lake: Lake) -> list[BatchReport]:
    """What is new in the lake's volume taken through its tables, here."""
    catalog = open_catalog(str(lake.folder), lake.catalog)
    with pipeline_lease(catalog, "kitchen"):
        return list(Runner(PIPELINE, catalog).run_available())
