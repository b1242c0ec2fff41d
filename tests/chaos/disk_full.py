"""A disk that runs full at one step after the other: while data is written, and while it is committed.

With each new file of orders the disk is filled to the last page, and then given a few pages more from run to run, so
that the batch gets a little further each time before it fails. In between, every table is read whole at its last good
version. In the end there is room again, and everything has to be as if there had always been.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from children import Ended
from clean_lake import clean_lake, take_in
from deltalake import DeltaTable
from forked import medallion, run_forked
from lakes import GOLD_KEYS, Lake
from small_disk import NoSmallDiskError, SmallDisk, small_disk
from story import Outcome, Stage
from table_log import batches_of
from tables_found import amiss_in_batches, differing, keep_up, lost_and_doubled, orphan_files
from told_events import cut_by_orders, drop_file, told_events

_MEGABYTES = 48
_ORDERS_A_FILE = 12
_FULL = re.compile(r"error: disk full: (/.+?)\. Hint: .+")
_READ = ("all_events", "silver_order_items", *GOLD_KEYS, "batches")
_CHECKPOINT_EVERY = 25
"""Versions of a table's log, see `lakehouse.open_table`. Its making is one, and each batch."""


def play(stage: Stage) -> list[Outcome]:
    try:
        with small_disk(stage.folder / "disk", _MEGABYTES) as disk:
            return [_filled(stage, disk)]
    except NoSmallDiskError as reason:
        return [Outcome(done="-", found=f"not run: {reason}", passed=False, trouble=str(reason))]


def _filled(stage: Stage, disk: SmallDisk) -> Outcome:
    rng = random.Random(stage.seed)
    rounds = stage.times(short=1, usual=5, full=25)
    lake = Lake(disk.folder / "lake")
    files = cut_by_orders(told_events(stage.seed, 1 + rounds / 50), _ORDERS_A_FILE)
    told: list[pl.DataFrame] = []
    hit: Counter[str] = Counter()
    amiss: list[str] = []
    for number in range(rounds):
        disk.clear()
        for _ in range(_quiet_files(number, rounds, len(told))):
            _drop(lake, told, next(files))
            take_in(lake)
        _drop(lake, told, next(files))
        amiss += _climb(lake, disk, rng.randrange(2), hit, len(told))
        stage.told(f"file {number + 1} of {rounds}: full {hit.total()} times so far, {dict(hit)}")
    disk.clear()
    return _outcome(stage, lake, pl.concat(told), hit, amiss)


def _quiet_files(number: int, rounds: int, before: int) -> int:
    """Files that are taken in while there is room, `before` of them being there: none at first, so that the disk runs
    full while tables are made; in the end so many that the next batch brings a checkpoint.
    """
    if rounds > 1 and number == 0:
        return 0
    return (_CHECKPOINT_EVERY - 2 - before) % _CHECKPOINT_EVERY if 0 < number == rounds - 1 else 1


def _drop(lake: Lake, told: list[pl.DataFrame], events: pl.DataFrame) -> None:
    drop_file(lake.volume, f"orders-{len(told):06d}.json", events)
    told.append(events)


def _climb(lake: Lake, disk: SmallDisk, pages: int, hit: Counter[str], batch: int) -> Iterator[str]:
    """Runs with ever more room, until one of them gets through. Yields what was amiss on the way.

    A page more at a time: a larger step can go past the commits, which are of a page each.
    """
    before = _heights(lake)
    while True:
        disk.leave(pages)
        ended = run_forked(medallion, ("run", *lake.options), {})
        if ended.code == 0:
            return
        place = _place(ended)
        if place is None:
            yield f"with {pages} pages left: ended with {ended.code}, {ended.err[-600:]}"
            return
        hit[_step(place, batch)] += 1
        yield from _unread(lake, before)
        pages += 1


def _place(ended: Ended) -> Path | None:
    """What could not be written, as the one line of the error says; None if it is not such a line."""
    match = _FULL.fullmatch(ended.err.strip())
    return Path(match[1]) if match and ended.code == 2 else None


def _step(place: Path, batch: int) -> str:
    """The step of the promise at which there was no room."""
    if place.suffix == ".parquet":
        return "data"
    if place.name != "_delta_log":
        return "state"
    return "checkpoint" if place.is_dir() and batches_of(place.parent)[batch] else "commit"


def _heights(lake: Lake) -> dict[str, int]:
    """Rows of every table, all of its columns read."""
    return {name: lake.table(name).height for name in _READ if DeltaTable.is_deltatable(str(lake.path(name)))}


def _unread(lake: Lake, before: dict[str, int]) -> Iterator[str]:
    """Tables whose last good version does not read whole, or has fewer rows than it had."""
    for name, height in before.items():
        try:
            found = lake.table(name).height
        except Exception as error:  # whatever keeps it from being read is what is looked for
            yield f"{name}: cannot be read while the disk is full: {error}"
        else:
            if found < height:
                yield f"{name}: {found} rows while the disk is full, {height} before"


def _outcome(stage: Stage, lake: Lake, told: pl.DataFrame, hit: Counter[str], amiss: list[str]) -> Outcome:
    clean = clean_lake(stage.folder / "clean", [[told]])
    lost, doubled = lost_and_doubled(lake, told["event_id"])
    amiss = [*amiss, *amiss_in_batches(lake), *(f"{name} differs" for name in differing(lake, clean))]
    amiss += [f"never full at {step}" for step in ("data", "commit") if not hit[step]]
    left, orphans = len(orphan_files(lake)), keep_up(lake)
    amiss += [f"orphan {path}" for path in orphans[:3]]
    counts = {f"full_at_{step}": hit[step] for step in ("state", "data", "commit", "checkpoint")}
    return Outcome(
        done=f"disk full {hit.total()} times: {hit['data']} at data files, {hit['commit']} at commits, "
        f"{hit['checkpoint']} at checkpoints, {hit['state']} at journals and leases",
        found="one line each, every table read whole each time, the run went on when there was room; "
        f"{told.height:,} events, lost {lost}, doubled {doubled}; orphans {left}, after upkeep {len(orphans)}; "
        f"Silver and Gold as of an undisturbed lake: {'no' if amiss else 'yes'}",
        passed=not amiss and not lost and not doubled,
        figures={**counts, "lost": lost, "doubled": doubled, "orphans": len(orphans)},
        trouble="; ".join(amiss),
    )
