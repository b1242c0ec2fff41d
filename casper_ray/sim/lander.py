"""Windows into the volumes: each part generated, rendered and staged by whoever has a processor free.

Files come into sight in the order of their time, whoever was done first: who looks into a volume in between sees
all that there was up to some instant. A file of a later day in sight before an earlier one would make that one late.
A part's files of all feeds come one after the other, so volumes are never further apart than one part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import polars as pl
import ray

from casper_ray.durable import Staged, flush_folder, stage_file
from casper_ray.failpoints import reach
from casper_ray.sim.faults.files import complete_files, staged_with_faults
from casper_ray.sim.faults.spec import Files
from casper_ray.sim.replay import ExpectedEvents
from casper_ray.sim.window import Part, Window, file_name, parts

_PART_EVENTS, _LARGE_PART_EVENTS = 15_000, 60_000
_ENOUGH_PARTS = 16
_HERE_EVENTS = 5_000
"""A window with fewer events than this is landed in the caller's own process: quicker than asking."""
_RUNS_A_WORKER = 2
_BINS = 128


Volumes = Mapping[str, Path]
"""Where each feed's files go; in this order a part's files come into sight."""


class EventSource(Protocol):
    """What can be asked for the events of its feeds; small enough to send to workers."""

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame: ...

    def lines(self, feed: str, events: pl.DataFrame) -> bytes: ...

    def counted(self, feed: str, events: pl.DataFrame) -> int: ...


@dataclass(frozen=True, slots=True)
class FileFaults:
    """What is to be wrong with files, and the seed of the chance that picks them."""

    faults: Files
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What a window brought, of all feeds: events, how many of them the domain counts, and how they spread over it
    (counts per bin).
    """

    window: Window
    events: int
    counted: int
    bins: np.ndarray[Any, np.dtype[np.int64]] = field(default_factory=lambda: np.zeros(_BINS, np.int64))


class Prepared(NamedTuple):
    """A part that is ready to come into sight: what it brings, and its files, feed by feed."""

    landed: Landed
    files: Sequence[Sequence[Staged]]

    def show(self) -> Landed:
        """Its files come into sight. Durable once the volumes are flushed."""
        for of_feed in self.files:
            for file in of_feed:
                file.show()
            if of_feed:
                reach("window.landed")
        return self.landed


class Lander:
    """Lands windows of one replay of one world."""

    def __init__(
        self,
        world: EventSource,
        volumes: Volumes,
        replay_id: str,
        expected_events: ExpectedEvents,
        file_faults: FileFaults | None = None,
    ) -> None:
        self._world, self._faults = world, file_faults
        self._volumes, self._replay_id = volumes, replay_id
        self._expected = expected_events
        self._shared: Any = None
        self._workers: int | None = None

    def remove_unfinished(self) -> None:
        """Files that a killed worker did not finish writing; nobody reads names that begin with a dot."""
        for volume in self._volumes.values():
            for part in volume.glob(f".*{self._replay_id}.w*.part"):
                part.unlink(missing_ok=True)

    def complete(self) -> bool:
        """Bring files that were to grow to their end, at the end of a run; whether there were any."""
        return bool(self._faults and self._completed(None))

    def start(self, windows: Sequence[Window]) -> Landing:
        """Begin to land `windows`. Retry: safe; the same windows leave the same files."""
        if self._faults:
            self._completed(windows[0].number)
        cut: list[Part] = []
        for window in windows:
            expected = self._expected(window.from_us, window.to_us)
            if len(windows) == 1 and expected < _HERE_EVENTS:
                (part,) = parts(window, 1)
                prepared = prepared_part(self._world, self._volumes, self._replay_id, part, self._faults)
                return Landing(self._volumes, windows, [[prepared]])
            cut += parts(window, _part_count(expected))
        return Landing(self._volumes, windows, [self._task(run) for run in self._runs(cut)])

    def _completed(self, before_window: int | None) -> int:
        return sum(complete_files(volume, before_window) for volume in self._volumes.values())

    def _runs(self, cut: list[Part]) -> list[list[Part]]:
        """The parts in stretches of time, a few for each processor.

        A window holds events of what began the day before, so parts that follow each other share most of the work:
        dealt out singly to two workers, every day was made twice.
        """
        if self._workers is None:
            # Ray's own function has no types.
            resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
            self._workers = max(1, int(resources.get("CPU", 1)))
        size = max(1, math.ceil(len(cut) / (_RUNS_A_WORKER * self._workers)))
        return [cut[start : start + size] for start in range(0, len(cut), size)]

    def _task(self, run: list[Part]) -> Any:
        if self._shared is None:
            self._shared = ray.put(self._world)
        return _prepared_parts.remote(self._shared, self._volumes, self._replay_id, run, self._faults)


@dataclass(slots=True)
class Landing:
    """Windows that are on their way into the volumes."""

    volumes: Volumes
    windows: Sequence[Window]
    runs: list[Any]

    def wait(self) -> list[Landed]:
        """Every window landed in every volume, durably."""
        parts_of: dict[int, list[Landed]] = {window.number: [] for window in self.windows}
        for run in self.runs:
            for part in run if isinstance(run, list) else ray.get(run):
                parts_of[part.landed.window.number].append(part.show())
        for volume in self.volumes.values():
            if volume.exists():
                flush_folder(volume)
        return [_together(window, parts_of[window.number]) for window in self.windows]


def prepared_part(
    world: EventSource,
    volumes: Volumes,
    replay_id: str,
    part: Part,
    file_faults: FileFaults | None = None,
) -> Prepared:
    """The part's events as one file for each volume; no file where a feed has none."""
    window, landed, files = part.window, [], []
    for number, (feed, volume) in enumerate(volumes.items()):
        events = world.events(feed, part.from_us, part.to_us)
        data = world.lines(feed, events) if events.height else b""
        staged: list[Staged] = []
        if file_faults:
            faults, seed = file_faults.faults, file_faults.seed
            staged = staged_with_faults(faults, seed, volume, replay_id, part, data, number)
        elif data:
            staged = [stage_file(volume / file_name(replay_id, part), data)]
        files.append(staged)
        spread, _ = np.histogram(events["ts_us"].to_numpy(), _BINS, (window.from_us, window.to_us))
        counted = world.counted(feed, events)
        landed.append(Landed(window=window, events=events.height, counted=counted, bins=spread))
    return Prepared(_together(window, landed), files)


@ray.remote
def _prepared_parts(
    world: EventSource, volumes: Volumes, replay_id: str, run: list[Part], file_faults: FileFaults | None
) -> list[Prepared]:
    return [prepared_part(world, volumes, replay_id, part, file_faults) for part in run]


def _part_count(expected: float) -> int:
    """How many parts a window of so many events has: small ones, so that all workers have some; but each costs some
    milliseconds whatever it holds, so not more than keep them busy.
    """
    enough = min(math.ceil(expected / _PART_EVENTS), _ENOUGH_PARTS)
    return max(enough, math.ceil(expected / _LARGE_PART_EVENTS))


def _together(window: Window, each: Sequence[Landed]) -> Landed:
    """What parts of a window, or its feeds, bring together."""
    return Landed(
        window=window,
        events=sum(one.events for one in each),
        counted=sum(one.counted for one in each),
        bins=np.sum([one.bins for one in each], axis=0),
    )
