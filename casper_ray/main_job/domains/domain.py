"""What a domain says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

import polars as pl

from casper_ray.console.progress import Words
from casper_ray.sim.feed import Feed
from casper_ray.sim.world import World

W = TypeVar("W", bound=World)


class Order(NamedTuple):
    """The world that is wanted. days: None is the scenario's own. loop: past the last day it begins again."""

    scenario: str
    seed: int
    days: int | None
    epoch: datetime
    loop: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Which Gold table says how each place does, for the live view; its rows add up.

    place, instant, counted, amount  its columns: whose row it is; of which hour (timestamp) or day (date); how many;
                                     money, a decimal of two places
    period_us                        length of what a row is of
    dimension, name                  where a place's name stands: a dimension with column `place`, and its column
    """

    table: str
    place: str
    instant: str
    counted: str
    amount: str
    period_us: int
    dimension: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth(Generic[W]):
    """A table of schema `truth`.

    rows    what really happened on days of the dataset, from the first up to but without the second; a function of
            its module, for workers call it. It gives columns and types for no days, too
    stats   columns whose least and greatest value are kept for each file
    daily   told as days pass; else all of it at the beginning: `rows` is asked once, for every day
    """

    table: str
    rows: Callable[[W, int, int], pl.DataFrame]
    stats: tuple[str, ...]
    daily: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain(Generic[W]):
    """A business: its world, what it tells of it, and its tables.

    scenario, start_day  where nothing else is asked for
    feeds                as the world has them, in the order in which their files come into sight
    loops                whether its world can begin again
    next_steps           (command, what it does), told at the end of a run; {sim} stands for the options that `casper
                         sim` needs to find this run's lake and catalog, {lake} for those of `casper lake`
    """

    name: str
    scenario: str
    start_day: int
    build: Callable[[Order], W]
    feeds: tuple[Feed, ...]
    truth: tuple[Truth[W], ...]
    places: Places
    words: Words
    loops: bool
    next_steps: tuple[tuple[str, str], ...]
