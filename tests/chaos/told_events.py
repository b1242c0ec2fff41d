"""What the world tells, cut into event files: the material of the stories."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl

from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS, ORDER_CREATED
from casper_ray.domain.time import US_PER_DAY, sim_micros
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.landing import render_lines
from casper_ray.sim.scenario import load_scenario


def told_events(seed: int, days: float, location_ids: tuple[int, ...] | None = None) -> pl.DataFrame:
    """The baseline world's events of its first days, in order; some locations' alone, if they are named."""
    world = KitchenWorld.build(load_scenario("baseline"), seed)
    start_us = sim_micros(world.epoch)
    return world.events(EVENTS, start_us, start_us + int(days * US_PER_DAY), location_ids)


def cut_by_orders(events: pl.DataFrame, orders: int) -> Iterator[pl.DataFrame]:
    """The events in stretches of time, each with so many orders created: every table has something to do with each.

    The last one may have fewer, but one at least.
    """
    created = (events["event_type"] == ORDER_CREATED).arg_true()
    edges = [0, *created[orders::orders], events.height]
    for start, stop in pairwise(edges):
        yield events[start:stop]


def cut_evenly(events: pl.DataFrame, count: int) -> list[pl.DataFrame]:
    """The rows as they stand, in `count` stretches of nearly equal length."""
    edges = [events.height * i // count for i in range(count + 1)]
    return [events[start:stop] for start, stop in pairwise(edges)]


def drop_file(volume: Path, name: str, events: pl.DataFrame) -> Path:
    """The events as a file of the volume, whole or not there, as anybody may drop one."""
    volume.mkdir(parents=True, exist_ok=True)
    beside = volume / f".{name}"
    beside.write_bytes(render_lines(events, EVENT_COLUMNS))
    return beside.replace(volume / name)
