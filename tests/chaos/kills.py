"""Killed with SIGKILL at every step of the promise, again and again; each time the next command has to mend it."""

from __future__ import annotations

import math
import random
import signal
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from children import Ended
from clean_lake import clean_lake
from lanes import LANES, Progress, side_by_side
from story import Outcome, Stage
from tables_found import amiss_in_batches, differing, keep_up, lost_and_doubled, orphan_files
from victims import Pipeline, Replay, Victim

_SHARE_AGAIN = 0.1
"""Of the kills, so many are followed by one that hits the run which mends it."""


class Lane(NamedTuple):
    """What became of one lake. mended_s, unhurt_s: wall seconds of whole commands, from their start to their end.

    again: of the kills, those that hit a run which was mending another. left, orphans: files that no version names,
    before and after the upkeep.
    """

    killed: Counter[str]
    again: int
    mended_s: list[float]
    unhurt_s: list[float]
    events: int
    lost: int
    doubled: int
    left: int
    orphans: int
    amiss: list[str]


def play(stage: Stage) -> list[Outcome]:
    times = stage.times(short=1, usual=25, full=100)
    few = stage.times(short=2, usual=99, full=99)
    rng = random.Random(stage.seed)
    pipeline, replay = (rng.sample(kind.STEPS, min(few, len(kind.STEPS))) for kind in (Pipeline, Replay))
    return [
        _killed(stage, "the pipeline", Pipeline, pipeline, times),
        _killed(stage, "the replay", Replay, replay, times),
    ]


def _killed(
    stage: Stage, what: str, kind: type[Pipeline] | type[Replay], steps: Sequence[str], times: int
) -> Outcome:
    """Every step so many times, in any order, dealt out to lanes."""
    deal = [step for step in steps for _ in range(times)]
    random.Random(f"{stage.seed} {what}").shuffle(deal)
    unhurt = stage.times(short=0, usual=4, full=8)
    progress = Progress(stage.told, f"{what}: kills", len(deal))

    def lane(number: int) -> Lane:
        mine = deal[number::LANES]
        folder = stage.folder / kind.__name__ / str(number)
        victim = kind(folder, stage.seed, 2 * len(mine) + unhurt)
        return _lane(victim, mine, random.Random(f"{stage.seed} {what} {number}"), progress, unhurt)

    return _outcome(what, steps, side_by_side(lane))


def _lane(victim: Victim, steps: Iterable[str], rng: random.Random, progress: Progress, unhurt: int) -> Lane:
    killed: Counter[str] = Counter()
    mended_s, again = [], 0
    for step in steps:
        _expect(victim.die(step), -signal.SIGKILL, step)
        killed[step] += 1
        if rng.random() < _SHARE_AGAIN:
            second = rng.choice(victim.AGAIN)
            _expect(victim.die(second), -signal.SIGKILL, f"{second}, mending {step}")
            again += 1
        began_s = time.monotonic()
        _expect(victim.mend(), 0, f"after {step}")
        mended_s.append(time.monotonic() - began_s)
        progress.one_more()
    unhurt_s = []
    for _ in range(unhurt):
        began_s = time.monotonic()
        _expect(victim.work(), 0, "unhurt")
        unhurt_s.append(time.monotonic() - began_s)
    return _looked_at(victim, killed, again, mended_s, unhurt_s)


def _expect(ended: Ended, code: int, where: str) -> None:
    """Raises: AssertionError where a command did not end as it should; there is no going on then."""
    assert ended.code == code, f"{where}: ended with {ended.code}, expected {code}: {ended.err[-1500:]}"


def _looked_at(
    victim: Victim, killed: Counter[str], again: int, mended_s: list[float], unhurt_s: list[float]
) -> Lane:
    """What is in the lake, held against one that nobody disturbed; then once more, after an upkeep."""
    lake, told = victim.lake, victim.told
    clean = clean_lake(lake.folder.parent / "clean", [[told]])
    lost, doubled = lost_and_doubled(lake, told["event_id"])
    amiss = [*amiss_in_batches(lake), *(f"{name} differs" for name in differing(lake, clean))]
    if lake.lines() != clean.lines():
        amiss.append("the volume's lines are not those that were told")
    if beside := [path.name for path in lake.volume.glob(".*")]:
        amiss.append(f"left in the volume: {beside[:3]}")
    left = orphan_files(lake)
    orphans = keep_up(lake)
    amiss += [f"{name} differs after the upkeep" for name in differing(lake, clean)]
    amiss += [f"orphan {path}" for path in orphans[:3]]
    return Lane(killed, again, mended_s, unhurt_s, told.height, lost, doubled, len(left), len(orphans), amiss)


def _outcome(what: str, steps: Sequence[str], lanes: list[Lane]) -> Outcome:
    killed = sum((lane.killed for lane in lanes), Counter[str]())
    mended_s = [s for lane in lanes for s in lane.mended_s]
    unhurt_s = [s for lane in lanes for s in lane.unhurt_s]
    figures = {
        "kills": killed.total(),
        "kills_while_mending": sum(lane.again for lane in lanes),
        "events": sum(lane.events for lane in lanes),
        "lost": sum(lane.lost for lane in lanes),
        "doubled": sum(lane.doubled for lane in lanes),
        "recovery_p50_s": _percentile(mended_s, 0.5),
        "recovery_p95_s": _percentile(mended_s, 0.95),
        "unhurt_p50_s": _percentile(unhurt_s, 0.5),
        "orphans_before_upkeep": sum(lane.left for lane in lanes),
        "orphans": sum(lane.orphans for lane in lanes),
    }
    amiss = [text for lane in lanes for text in lane.amiss]
    per_step = sorted({killed[step] for step in steps})
    return Outcome(
        done=f"{what}: SIGKILL at {len(steps)} steps × {'/'.join(map(str, per_step))}"
        f", {figures['kills_while_mending']} more while mending",
        found=f"{figures['events']:,} events, lost {figures['lost']}, doubled {figures['doubled']}; next command "
        f"done in p50 {figures['recovery_p50_s']:.2f} s, p95 {figures['recovery_p95_s']:.2f} s from its start (with "
        f"nothing to mend: {figures['unhurt_p50_s']:.2f} s); orphans {figures['orphans_before_upkeep']}, after "
        f"upkeep {figures['orphans']}; Silver and Gold as of an undisturbed lake: {'no' if amiss else 'yes'}",
        passed=not amiss and not any(figures[name] for name in ("lost", "doubled", "orphans")),
        figures={name: round(figure, 3) for name, figure in figures.items()},
        trouble="; ".join(amiss),
    )


def _percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of the values does not exceed; NaN of none."""
    return math.nan if not values else sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
