"""Two and eight runs contending for one pipeline's tables: one wins, the others say who holds it; and when the holder
is killed in the middle of its batch, the next one takes over, says from whom, and finishes what was begun.
"""

from __future__ import annotations

import random
import re
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
from clean_lake import clean_lake
from contenders import Try, contending, refused_while_held, seen, signalled, written_holder
from lakes import Lake
from story import Outcome, Stage
from tables_found import amiss_in_batches, differing, lost_and_doubled
from told_events import cut_evenly, drop_file, told_events

_HELD_BY = re.compile(r"error: .*: held by process (\d+) on .*")
_DAYS_A_ROUND = 2
_SPARE_ROUNDS = 6
"""Where the machine is busy, a batch can be over before it was seen to begin: then nobody can be killed or refused,
and the round is played once more.
"""
_LATEST_KILL_S = 0.2
"""Half as late after every round in which the batch was over before."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the rounds with so many contenders saw. taken_over_s, done_s: wall seconds after the holder's death."""

    worked: int = 0
    refused: int = 0
    nothing_left: int = 0
    taken_over_s: list[float] = field(default_factory=list)
    done_s: list[float] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)


def play(stage: Stage) -> list[Outcome]:
    rounds = stage.times(short=1, usual=3, full=12)
    sizes = (2,) if stage.scale == "short" else (2, 8)
    parts = 2 * rounds + _SPARE_ROUNDS
    days = cut_evenly(told_events(stage.seed, _DAYS_A_ROUND * parts), parts)
    return [_contended(stage, count, rounds, days) for count in sizes]


def _contended(stage: Stage, count: int, rounds: int, parts: Sequence[pl.DataFrame]) -> Outcome:
    """Rounds in which nobody is hurt, and as many in which the holder is killed."""
    lake = Lake(stage.folder / f"of-{count}" / "lake")
    rng, tally = random.Random(f"{stage.seed} {count}"), Tally()
    unhurt = killed = used = 0
    while killed < rounds and used < len(parts):
        drop_file(lake.volume, f"part-{used:04d}.json", parts[used])
        used += 1
        if unhurt > killed:
            missed = used - 1 - unhurt - killed
            killed += _killed(lake, count, rng.uniform(0, _LATEST_KILL_S / 2**missed), tally)
        else:
            unhurt += _unhurt(lake, count, tally)
        stage.told(
            f"{count} contenders, round {unhurt + killed} of {2 * rounds}: {tally.refused} refused so far"
        )
    if killed < rounds:
        tally.amiss.append(
            f"contended {unhurt} times, the holder killed {killed} times only: batches were over before"
        )
    return _outcome(lake, count, rounds, pl.concat(parts[:used]), tally)


def _unhurt(lake: Lake, count: int, tally: Tally) -> bool:
    """One works. False: the holder was not seen in time, and the others came when all was done."""
    before = written_holder(lake)
    with contending(lake, count, patient=False) as contenders:
        met = refused_while_held(lake, contenders, before)
    tries = [one for contender in contenders for one in contender.tries]
    if (working := sum(one.worked for one in tries)) != 1:
        tally.amiss.append(f"{working} of {count} worked")
    _count(tries, tally)
    return met


def _killed(lake: Lake, count: int, after_s: float, tally: Tally) -> bool:
    """The holder dies `after_s` after its batch was written down; the others come again until one has taken over.
    False: the batch was over before.
    """
    journal = lake.state / "kitchen-batch.json"
    before, batches, last = journal.stat().st_mtime_ns, lake.version("batches"), written_holder(lake)
    with contending(lake, count, patient=True) as contenders:
        if not refused_while_held(lake, contenders, last):
            return False
        if not seen(lambda: journal.stat().st_mtime_ns != before):
            tally.amiss.append("nobody began a batch")
            return True
        time.sleep(after_s)
        holder = written_holder(lake)
        if holder is None or not signalled(holder, signal.SIGKILL) or lake.version("batches") > batches:
            return False
        died_s = time.monotonic()
        if seen(lambda: written_holder(lake) not in (holder, None)):
            tally.taken_over_s.append(time.monotonic() - died_s)
        if seen(lambda: any(one.worked for contender in contenders for one in contender.tries)):
            tally.done_s.append(time.monotonic() - died_s)
    tries = [one for contender in contenders for one in contender.tries]
    tally.amiss += _amiss_after(holder, tries)
    _count(tries, tally)
    return True


def _amiss_after(holder: int, tries: list[Try]) -> Iterator[str]:
    if [one.pid for one in tries if one.ended.code == -signal.SIGKILL] != [holder]:
        yield f"process {holder} was killed, but the killed are others"
    heirs = [one for one in tries if one.worked]
    if len(heirs) != 1:
        yield f"{len(heirs)} took over from {holder}"
    for heir in heirs:
        for said in (f"taken over from process {holder}", "finished a batch that a crash had left half done"):
            if said not in heir.ended.out:
                yield f"the heir does not say: {said}"


def _count(tries: list[Try], tally: Tally) -> None:
    """Refusals have to be one line that names a process which had the lease."""
    had_it = {one.pid for one in tries if not one.refused}
    for one in tries:
        if one.worked:
            tally.worked += 1
        elif one.refused:
            tally.refused += 1
            match = _HELD_BY.fullmatch(one.ended.err.strip())
            if not match or int(match[1]) not in had_it:
                tally.amiss.append(f"refused without the holder's name: {one.ended.err.strip()[:300]}")
        elif one.ended.code == 0:
            tally.nothing_left += 1
        elif one.ended.code != -signal.SIGKILL:
            tally.amiss.append(f"ended with {one.ended.code}: {one.ended.err[-500:]}")


def _outcome(lake: Lake, count: int, rounds: int, events: pl.DataFrame, tally: Tally) -> Outcome:
    clean = clean_lake(lake.folder.parent / "clean", [[events]])
    lost, doubled = lost_and_doubled(lake, events["event_id"])
    amiss = [*tally.amiss, *amiss_in_batches(lake), *(f"{name} differs" for name in differing(lake, clean))]
    taken_s, done_s = sorted(tally.taken_over_s) or [-1.0], sorted(tally.done_s) or [-1.0]
    figures = {
        "contenders": count,
        "refused": tally.refused,
        "lost": lost,
        "doubled": doubled,
        "taken_over_p50_s": round(taken_s[len(taken_s) // 2], 3),
        "taken_over_max_s": round(taken_s[-1], 3),
        "finished_max_s": round(done_s[-1], 3),
    }
    return Outcome(
        done=f"{count} runs at once, {rounds} times; {rounds} times the holder killed in the middle of its batch",
        found=f"one worked each time, {tally.refused} refusals named the holder, {tally.nothing_left} came when all "
        f"was done; taken over within {figures['taken_over_p50_s']} s (p50), {figures['taken_over_max_s']} s (most)"
        f", with the batch finished {figures['finished_max_s']} s after the death at most; lost {lost}, doubled "
        f"{doubled}; Silver and Gold as of an undisturbed lake: {'no' if amiss else 'yes'}",
        passed=not amiss and not lost and not doubled,
        figures=figures,
        trouble="; ".join(amiss),
    )
