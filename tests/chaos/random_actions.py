"""Random actions on a real lake, and the same on a model; whatever the actions, both must hold the same."""

from __future__ import annotations

import multiprocessing
import random
import shutil
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

from deltalake import DeltaTable
from model import Content, Model
from story import Outcome, Stage
from subject import EPOCH_US, REPLAY_ID, Subject, dying, random_step
from toy import order_line

from casper_ray.domain.time import SimMicros, as_datetime
from casper_ray.sim.window import window_of

CHECK_EVERY = 40
WEIGHTS = {
    "advance": 20,
    "append": 12,
    "duplicate": 10,
    "late": 6,
    "garbage": 3,
    "replay": 4,
    "run": 18,
    "kill_run": 8,
    "kill_landing": 3,
    "restart": 2,
    "pause": 3,
    "speed": 4,
    "compact": 2,
    "vacuum": 1,
    "checkpoint": 2,
    "add_column": 1,
    "restore": 1,
}
RESTORED = {
    "silver_order_items": "silver",
    "gold_order_header": "headers",
    "gold_brand_sales_day": "brand_days",
    "gold_location_sales_hourly": "hours",
}


class Trial:
    """A subject and its model, and actions done to both. What happens depends on the seed alone."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.subject, self.model = Subject(folder), Model()
        self.rng = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._files: dict[str, list[bytes]] = {}
        self._waiting: set[str] = set()
        self._made = 0
        self._landed_us = EPOCH_US
        self._snapshots: dict[tuple[str, int], Content] = {}
        self._columns = 0

    def act(self) -> None:
        """One action, by lot."""
        name = self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        self.done[name] += 1
        getattr(self, f"_{name}")()

    def differences(self) -> list[str]:
        """How lake and model differ, once everything that waits has been taken in."""
        self._run()
        is_, should = self.subject.content(), self.model.content
        return [
            f"{field.name}: {_difference(getattr(is_, field.name), getattr(should, field.name))}"
            for field in fields(Content)
            if getattr(is_, field.name) != getattr(should, field.name)
        ]

    def _advance(self) -> None:
        self.subject.advance(self.rng.choice([0.05, 0.5, 2.0, 10.0]))
        self._note_windows()

    def _append(self) -> None:
        self._drop([self._fresh(minutes) for minutes in self._minutes(-170, 20)])

    def _late(self) -> None:
        self._drop([self._fresh(minutes) for minutes in self._minutes(-5000, -200)])

    def _duplicate(self) -> None:
        if self._files:
            recent = list(self._files)[-12:]
            lines = self._files[self.rng.choice(recent)]
            self._drop(self.rng.sample(lines, min(len(lines), 1 + self.rng.randrange(8))))

    def _garbage(self) -> None:
        self._drop([b'{"event_id": "torn', b"\x00\x00\x00", b"NaN\n", b"[1, 2]", self._fresh(-1, cents=-250)])

    def _replay(self) -> None:
        """A window's files are written once more, as after a crash; or a file comes under another name too."""
        if not self._files:
            return
        name = self.rng.choice(list(self._files))
        path = self.subject.volume / name
        if self.rng.random() < 0.5:
            path.write_bytes(path.read_bytes())
        else:
            self._drop(list(self._files[name]))

    def _run(self) -> None:
        self._take()
        self.subject.run_pipeline()
        self._snapshot()

    def _kill_run(self) -> None:
        self._take()
        dying(self.subject, random_step(self.rng), 1 + self.rng.randrange(2), self.subject.run_pipeline)
        self.subject.run_pipeline()
        self._snapshot()

    def _kill_landing(self) -> None:
        step = self.rng.choice(["cursor.declared", "window.landed", "cursor.saved"])
        dying(self.subject, step, 1, self._advance)
        self._note_windows()

    def _restart(self) -> None:
        self.subject.reopen()
        self._note_windows()

    def _pause(self) -> None:
        self.subject.clock.pause(self.subject.position_us)
        self.subject.advance(3.0)
        self.subject.clock.resume(self.subject.position_us)

    def _speed(self) -> None:
        self.subject.clock.set_speed(self.rng.choice([60.0, 600.0, 3600.0]), self.subject.position_us)

    def _compact(self) -> None:
        self._handle("all_events", "silver_order_items", "gold_order_header").optimize.compact()

    def _vacuum(self) -> None:
        self._handle(*RESTORED, "all_events").vacuum(
            retention_hours=24, enforce_retention_duration=False, dry_run=False, full=True
        )

    def _checkpoint(self) -> None:
        self._handle(*RESTORED, "all_events").create_checkpoint()

    def _add_column(self) -> None:
        """Lines with a field that nobody knows yet."""
        self._columns += 1
        line = self._fresh(-2).rstrip().removesuffix(b"}")
        self._drop([line + b', "channel_%d": "app"}' % self._columns])

    def _restore(self) -> None:
        """A table goes back to what it was, and what comes is added to that."""
        self._run()
        table = self.rng.choice(list(RESTORED))
        known = [version for name, version in self._snapshots if name == table]
        version = self.rng.choice(known[-8:])
        handle = DeltaTable(str(self.subject.catalog.table("lakeflow", table)))
        if version < handle.version():
            handle.restore(version)
        what = RESTORED[table]
        then = getattr(self._snapshots[table, version], what)
        setattr(self.model.content, what, type(then)(then) if isinstance(then, Counter) else _copied(then))
        self.subject.reopen()
        self._note_windows()

    def _handle(self, *names: str) -> DeltaTable:
        return DeltaTable(str(self.subject.catalog.table("lakeflow", self.rng.choice(names))))

    def _minutes(self, earliest: int, latest: int) -> list[int]:
        return [self.rng.randint(earliest, latest) for _ in range(1 + self.rng.randrange(6))]

    def _fresh(self, minutes: int, cents: int | None = None) -> bytes:
        """An order that nobody told of yet, so many minutes from now."""
        self._made += 1
        at_us = self.subject.position_us + minutes * 60_000_000
        price = 50 + self.rng.randrange(3000) if cents is None else cents
        return order_line(
            f"m{self._made}", at_us, price, 1 + self.rng.randrange(120), 1 + self.rng.randrange(5)
        )

    def _drop(self, lines: list[bytes]) -> None:
        self._made += 1
        name = f"own-{self._made:07d}.json"
        self.subject.drop(name, b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines))
        self._files[name] = lines
        self._waiting.add(name)

    def _note_windows(self) -> None:
        """What the replay has landed by now: the world's lines between two instants, in files by window."""
        for path in sorted(self.subject.volume.glob(f"{REPLAY_ID}.w*.json")):
            window = window_of(path.name)
            if window and path.name not in self._files and window.to_us <= self.subject.position_us:
                self._files[path.name] = self.subject.world.lines_between(window.from_us, window.to_us)
                self._waiting.add(path.name)

    def _take(self) -> None:
        """The model takes what waits, in the order in which the pipeline will."""
        self._note_windows()
        windows = {name: window_of(name) for name in sorted(self._waiting)}
        ends = [window.to_us for window in windows.values() if window]
        instant_us = max([self.subject.position_us, *ends])
        landed_us = {name: window.to_us if window else instant_us for name, window in windows.items()}
        for name in sorted(landed_us, key=lambda name: (landed_us[name], name)):
            self.model.take(self._files[name], as_datetime(SimMicros(landed_us[name])))
        self._waiting.clear()

    def _snapshot(self) -> None:
        versions = self.subject.versions()
        wanted = [
            (table, versions[table]) for table in RESTORED if (table, versions[table]) not in self._snapshots
        ]
        if wanted:
            content = self.model.snapshot()
            self._snapshots |= dict.fromkeys(wanted, content)
            for old in list(self._snapshots)[: -8 * len(RESTORED)]:
                del self._snapshots[old]


LANES = 2


class Lane(NamedTuple):
    """One story of actions, played by a process of its own."""

    stage: Stage
    actions: int


class Told(NamedTuple):
    """What became of a lane. failed: None where lake and model never differed."""

    done: Counter[str]
    batches: int
    events: int
    duplicates: int
    late: int
    quarantined: int
    failed: Outcome | None


def play(stage: Stage) -> list[Outcome]:
    actions = stage.times(short=150, usual=10_000, full=40_000)
    lanes = LANES if stage.scale != "short" else 1
    parts = [
        Lane(replace(stage, folder=stage.folder / str(n), seed=stage.seed + n, told=_say), actions // lanes)
        for n in range(lanes)
    ]
    if lanes == 1:
        found = [_played(parts[0])]
    else:
        with multiprocessing.get_context("spawn").Pool(lanes) as pool:
            found = pool.map(_played, parts)
    if failed := [told.failed for told in found if told.failed]:
        return failed
    done = sum((told.done for told in found), Counter())
    batches, events, duplicates, late, quarantined = (
        sum(told[field] for told in found) for field in range(1, 6)
    )
    told = ", ".join(f"{count} {name}" for name, count in sorted(done.items()))
    return [
        Outcome(
            done=f"{done.total():,} actions on {lanes} lakes ({told})",
            found=f"0 differences; {batches:,} batches, {events:,} events, {duplicates:,} duplicates, {late:,} late, "
            f"{quarantined:,} quarantined",
            passed=True,
            figures={"actions": done.total(), "differences": 0, "batches": batches},
        )
    ]


def _say(text: str) -> None:
    print(f"   {text}", flush=True)


def _played(lane: Lane) -> Told:
    stage, actions = lane
    trial = Trial(stage.folder / "lake", stage.seed)
    failed = None
    for number in range(1, actions + 1):
        trial.act()
        if (number % CHECK_EVERY == 0 or number == actions) and (found := trial.differences()):
            failed = _failed(stage, number, found)
            break
        if number % 1000 == 0:
            stage.told(f"seed {stage.seed}: {number:,} actions, no difference")
    model = trial.model
    return Told(
        trial.done,
        trial.subject.runner.progress.last_batch,
        sum(model.content.bronze.values()),
        model.duplicates,
        model.late,
        model.content.quarantined,
        failed,
    )


def _failed(stage: Stage, number: int, found: list[str]) -> Outcome:
    """The shortest beginning of the story that still fails: an action depends on those before it."""
    good, bad = max(0, number - CHECK_EVERY), number
    while bad - good > 1:
        middle = (good + bad) // 2
        if differences := _played_to(stage, middle):
            bad, found = middle, differences
        else:
            good = middle
    return Outcome(
        done=f"{number:,} actions",
        found=f"differences after action {bad}",
        passed=False,
        trouble=f"seed {stage.seed}, first {bad} actions: {'; '.join(found)}",
    )


def _played_to(stage: Stage, actions: int) -> list[str]:
    folder = stage.folder / "again"
    shutil.rmtree(folder, ignore_errors=True)
    trial = Trial(folder, stage.seed)
    for number in range(1, actions + 1):
        trial.act()
        if number % CHECK_EVERY == 0:
            trial.differences()  # what is waiting is taken in here too, as in the story itself
    return trial.differences()


def _difference(is_: object, should: object) -> str:
    if isinstance(is_, Counter) and isinstance(should, Counter):
        more, less = is_ - should, should - is_
        return f"{more.total()} too many, {less.total()} missing, such as {list(more + less)[:2]}"
    if isinstance(is_, dict) and isinstance(should, dict):
        other = [key for key in is_.keys() | should.keys() if is_.get(key) != should.get(key)]
        return (
            f"{len(other)} keys, such as {other[0]}: is {is_.get(other[0])}, should be {should.get(other[0])}"
        )
    return f"is {is_}, should be {should}"


def _copied(sums: dict[tuple[object, ...], list[object]]) -> dict[tuple[object, ...], list[object]]:
    return {key: list(values) for key, values in sums.items()}
