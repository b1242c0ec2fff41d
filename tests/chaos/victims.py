"""Commands to be killed: each has a lake, something new to do with every run, and a next command that mends it."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import polars as pl
import replay_child
from children import MEDALLION, Children, Ended
from clean_lake import take_in
from forked import medallion, run_forked
from lakes import Lake
from told_events import cut_by_orders, drop_file, told_events

from casper_ray.sim.cursor import CursorFile

_CHILDREN = Children(ray_address=None)
_ORDERS_A_FILE = 4
_ORDERS_A_DAY = 700
"""A little less than the baseline world has on its first days."""
_WINDOWS_A_RUN = 3


class Victim(Protocol):
    """What may be killed. told: the events that its lake has to hold in the end. AGAIN: steps that every run comes
    to, one that mends too.
    """

    AGAIN: tuple[str, ...]
    lake: Lake
    told: pl.DataFrame

    def die(self, step: str) -> Ended: ...

    def mend(self) -> Ended: ...

    def work(self) -> Ended: ...


class Pipeline:
    """`medallion run` over files of a few orders, as many as `runs`. steps: see `docs/architecture.md`."""

    STEPS = (
        "batch.before_data",
        "batch.after_data",
        "commit.before:all_events",
        "commit.after:silver_order_items",
        "commit.before:gold_order_header",
        "commit.after:gold_brand_sales_day",
        "commit.before:quality_log",
        "commit.before:batches",
        "commit.after:batches",
    )
    AGAIN = ("batch.before_data", "batch.after_data", "commit.before:batches")

    def __init__(self, folder: Path, seed: int, runs: int) -> None:
        self.lake = Lake(folder / "lake")
        events = told_events(seed, 1 + runs * _ORDERS_A_FILE / _ORDERS_A_DAY)
        self._files: Iterator[pl.DataFrame] = cut_by_orders(events, _ORDERS_A_FILE)
        self.told = events.clear()
        self._dropped = 0

    def die(self, step: str) -> Ended:
        """A run that dies at `step`, over a new file."""
        self._drop()
        return run_forked(medallion, ("run", *self.lake.options), {"CASPER_FAILPOINT": step})

    def mend(self) -> Ended:
        return self._run()

    def work(self) -> Ended:
        """A run that nobody kills, over a new file."""
        self._drop()
        return self._run()

    def _drop(self) -> None:
        events = next(self._files)
        drop_file(self.lake.volume, f"orders-{self._dropped:06d}.json", events)
        self.told = pl.concat([self.told, events])
        self._dropped += 1

    def _run(self) -> Ended:
        return _CHILDREN.run(*MEDALLION, "run", *self.lake.options)


class Replay:
    """A replay of ten-minute windows, a few a run; what has landed is taken in before it is mended."""

    STEPS = ("cursor.declared", "window.landed", "cursor.saved", "cursor.after")
    AGAIN = ("cursor.declared", "cursor.saved")

    def __init__(self, folder: Path, seed: int, runs: int) -> None:
        self.lake = Lake(folder / "lake")
        self._rng = random.Random(f"{seed} {folder.name}")
        windows_a_day = 86_400_000_000 // replay_child.WINDOW_US
        self._all = told_events(seed, 1 + runs * _WINDOWS_A_RUN / windows_a_day)
        self._source = folder / "events.arrow"
        folder.mkdir(parents=True, exist_ok=True)
        self._all.write_ipc(self._source)

    @property
    def told(self) -> pl.DataFrame:
        """What the replay has said that it landed."""
        cursor = CursorFile(self.lake.state / "replay" / "cursor.json").load()
        assert cursor is not None
        assert not cursor.pending
        return self._all.filter(pl.col("ts_us") < cursor.position_us)

    def die(self, step: str) -> Ended:
        """A run that dies at `step`, at the first time or the second; its end is reached once."""
        hit = self._rng.randint(1, 2) if step in ("cursor.declared", "window.landed") else 1
        armed = {"CASPER_FAILPOINT": f"{step}@{hit}"}
        ended = run_forked(replay_child.main, self._arguments(_WINDOWS_A_RUN), armed)
        take_in(self.lake)
        return ended

    def mend(self) -> Ended:
        return self._run(0)

    def work(self) -> Ended:
        """Windows that land with nobody in the way, and are taken in."""
        ended = self._run(_WINDOWS_A_RUN)
        take_in(self.lake)
        return ended

    def _run(self, windows: int) -> Ended:
        return _CHILDREN.run(sys.executable, replay_child.__file__, *self._arguments(windows))

    def _arguments(self, windows: int) -> tuple[str, str, str]:
        return str(self.lake.folder), str(self._source), str(windows)
