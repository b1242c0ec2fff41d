"""Windows into the volume: each part generated, rendered and landed by whoever has a processor free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
import ray

from casper_ray.domain.kitchen import ORDER_CREATED
from casper_ray.durable import write_file
from casper_ray.failpoints import reach
from casper_ray.sim.landing import render_lines
from casper_ray.sim.replay import ExpectedEvents
from casper_ray.sim.window import Part, Window, file_name, parts

_PART_EVENTS = 15_000
_HERE_EVENTS = 5_000
"""A window with fewer events than this is landed in the caller's own process: quicker than asking."""
_BINS = 128


class EventSource(Protocol):
    """A world that can be asked for its events; small enough to send to workers."""

    def events(self, from_us: int, to_us: int) -> pl.DataFrame: ...

    def expected_orders(self, from_us: int, to_us: int) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What a window brought: events, orders created, and how its events spread over it (counts per bin)."""

    window: Window
    events: int
    orders: int
    bins: np.ndarray[Any, np.dtype[np.int64]] = field(default_factory=lambda: np.zeros(_BINS, np.int64))


class Lander:
    """Lands windows of one replay of one world."""

    def __init__(
        self, world: EventSource, volume: Path, replay_id: str, expected_events: ExpectedEvents
    ) -> None:
        self._world, self._volume, self._replay_id = world, volume, replay_id
        self._expected = expected_events
        self._shared: Any = None

    def remove_unfinished(self) -> None:
        """Files that a killed worker did not finish writing; nobody reads names that begin with a dot."""
        for part in self._volume.glob(f".{self._replay_id}.w*.part"):
            part.unlink(missing_ok=True)

    def start(self, windows: Sequence[Window]) -> Landing:
        """Begin to land `windows`. Retry: safe; the same windows leave the same files."""
        landing = Landing([])
        for window in windows:
            expected = self._expected(window.from_us, window.to_us)
            cut = parts(window, math.ceil(expected / _PART_EVENTS))
            here = len(windows) == 1 and expected < _HERE_EVENTS
            landing.pending.append((window, [self._land(part, here) for part in cut]))
        return landing

    def _land(self, part: Part, here: bool) -> Any:
        if here:
            return land_part(self._world, self._volume, self._replay_id, part)
        if self._shared is None:
            self._shared = ray.put(self._world)
        return _land_part.remote(self._shared, self._volume, self._replay_id, part)


@dataclass(slots=True)
class Landing:
    """Windows that are on their way into the volume."""

    pending: list[tuple[Window, list[Any]]]

    def wait(self) -> list[Landed]:
        """Every window landed, durably."""
        return [_landed(window, _gathered(found)) for window, found in self.pending]


def land_part(world: EventSource, volume: Path, replay_id: str, part: Part) -> Landed:
    """The part's events as one file in the volume; no file where there are none."""
    events = world.events(part.from_us, part.to_us)
    if events.height:
        write_file(volume / file_name(replay_id, part), render_lines(events))
        reach("window.landed")
    window = part.window
    spread, _ = np.histogram(events["ts_us"].to_numpy(), bins=_BINS, range=(window.from_us, window.to_us))
    created = int((events["event_type"] == ORDER_CREATED).sum())
    return Landed(window=window, events=events.height, orders=created, bins=spread)


@ray.remote
def _land_part(world: EventSource, volume: Path, replay_id: str, part: Part) -> Landed:
    return land_part(world, volume, replay_id, part)


def _gathered(found: list[Any]) -> list[Landed]:
    return [item if isinstance(item, Landed) else ray.get(item) for item in found]


def _landed(window: Window, parts_: list[Landed]) -> Landed:
    return Landed(
        window=window,
        events=sum(part.events for part in parts_),
        orders=sum(part.orders for part in parts_),
        bins=np.sum([part.bins for part in parts_], axis=0),
    )
