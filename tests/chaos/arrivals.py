"""The same events told otherwise: shuffled, doubled, delayed, by clocks that are wrong, in other files and batches.

Whatever the order, Silver and Gold have to be the same to the byte, every copy has to be found, and nothing be late.
A lake that is told one order too late shows that the comparison would have seen a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from clean_lake import clean_lake
from lakes import Lake
from story import Outcome, Stage
from tables_found import CONTENT, differing, digests
from tellings import LATENESS_US, Arrivals, doubled, everything, in_order, mixed, outage, shuffled, skewed
from told_events import cut_evenly, told_events

from casper_ray.domain.kitchen import ORDER_CREATED
from casper_ray.domain.time import US_PER_HOUR

_AT_MOST_US = LATENESS_US - 1000
"""The longest that a line may be behind: a millisecond less than the watermark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One way to tell the events. files, batches: into how many they are cut. mixed: the lines of a file too."""

    name: str
    arrivals: Arrivals
    files: int
    batches: int
    mixed: bool = False

    def batches_of(
        self, rng: np.random.Generator, events: pl.DataFrame, longest_us: int
    ) -> list[list[pl.DataFrame]]:
        files = cut_evenly(self.arrivals(rng, events, longest_us), self.files)
        files = mixed(rng, files) if self.mixed else files
        edges = [len(files) * i // self.batches for i in range(self.batches + 1)]
        return [files[start:stop] for start, stop in pairwise(edges)]


ALL_TOGETHER = Telling(name="all together", arrivals=everything, files=31, batches=8, mixed=True)
TELLINGS = (
    ALL_TOGETHER,
    Telling(name="one file", arrivals=in_order, files=1, batches=1),
    Telling(name="a batch a file", arrivals=in_order, files=12, batches=12),
    Telling(name="lines mixed", arrivals=in_order, files=6, batches=3, mixed=True),
    Telling(name="shuffled", arrivals=shuffled, files=24, batches=6, mixed=True),
    Telling(name="outage", arrivals=outage, files=17, batches=5),
    Telling(name="doubled", arrivals=doubled, files=9, batches=4),
)
IN_ORDER = Telling(name="in order", arrivals=in_order, files=5, batches=2)


def play(stage: Stage) -> list[Outcome]:
    rng = np.random.default_rng(stage.seed)
    days = stage.times(short=1, usual=40, full=160) / 4
    events = told_events(stage.seed, days).with_columns(pl.col("ts_us").alias("happened_us"))
    stage.told(f"{events.height:,} events of {days:g} days")
    skewed_events, apart_us = skewed(rng, events)
    few = stage.times(short=2, usual=len(TELLINGS), full=len(TELLINGS))
    return [
        _told_otherwise(stage, rng, "right clocks", events, _AT_MOST_US, TELLINGS[:few]),
        _told_otherwise(stage, rng, "skewed clocks", skewed_events, _AT_MOST_US - apart_us, TELLINGS[:few]),
    ]


def _told_otherwise(
    stage: Stage,
    rng: np.random.Generator,
    clocks: str,
    events: pl.DataFrame,
    longest_us: int,
    tellings: tuple[Telling, ...],
) -> Outcome:
    """The events in order, and every other telling of them held against that."""
    folder = stage.folder / clocks.replace(" ", "-")
    plain = clean_lake(folder / "plain", IN_ORDER.batches_of(rng, events, longest_us))
    wanted = digests(plain)
    amiss, made, found, late = [f"{clocks}, in order: {text}" for text in _miscounted(plain, 0)], 0, 0, 0
    for number, telling in enumerate(tellings):
        batches = telling.batches_of(rng, events, longest_us)
        lake = clean_lake(folder / str(number), batches)
        copies = sum(file.height for files in batches for file in files) - events.height
        differ = [name for name, digest in digests(lake).items() if digest != wanted[name]]
        made, found = made + copies, found + _counted(lake, "duplicate")
        late += _counted(lake, "late")
        stage.told(f"{clocks}, {telling.name}: {copies:,} copies, {'differs' if differ else 'byte-equal'}")
        amiss += [f"{clocks}, {telling.name}: {text}" for text in (*differ, *_miscounted(lake, copies))]
    noticed = _too_late(rng, folder / "too-late", events, plain)
    if not noticed:
        amiss.append(f"{clocks}: an order told too late made no difference")
    return Outcome(
        done=f"{events.height:,} events, {clocks}, told in order and in {len(tellings)} other ways: "
        + ", ".join(telling.name for telling in tellings),
        found=f"Silver and {len(CONTENT) - 1} Gold tables {'NOT ' if amiss else ''}byte-equal ("
        + ", ".join(f"{name} {digest[:12]}" for name, digest in wanted.items())
        + f"); {found:,} of {made:,} copies found, {late} late; one order told 4 h late "
        f"makes {'a' if noticed else 'NO'} difference",
        passed=not amiss,
        figures={
            "events": events.height,
            "copies_made": made,
            "copies_found": found,
            "tellings": len(tellings),
        },
        trouble="; ".join(amiss),
    )


def _miscounted(lake: Lake, copies: int) -> list[str]:
    duplicates, late = _counted(lake, "duplicate"), _counted(lake, "late")
    wrong = [f"{duplicates} duplicates of {copies} copies"] if duplicates != copies else []
    return [*wrong, *([f"{late} late"] if late else [])]


def _counted(lake: Lake, what: str) -> int:
    return int(lake.table("batches")[f"rows_{what}"].sum())


def _too_late(rng: np.random.Generator, folder: Path, events: pl.DataFrame, plain: Lake) -> bool:
    """Whether an early order that is told when four hours have passed is late, and is seen to be missing."""
    created = (events["event_type"] == ORDER_CREATED).arg_true()
    row = int(created[int(rng.integers(1, len(created) // 4))])
    late, others = events[row : row + 1], events.filter(pl.arange(pl.len()) != row)
    passed = others["ts_us"] >= int(late["ts_us"][0]) + 4 * US_PER_HOUR
    batches = [[others.filter(~passed), others.filter(passed)[:1]], [late], [others.filter(passed)[1:]]]
    lake = clean_lake(folder, batches)
    return _counted(lake, "late") == 1 and "gold_order_header" in differing(lake, plain)
