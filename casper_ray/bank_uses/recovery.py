"""A bank's tables rebuilt in another catalog from what a loss leaves: the volumes, the dimensions, the keys."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from casper_ray.bank_uses.history import REFERENCE, History
from casper_ray.bank_uses.volume_at import Drops, Survivor, bring, survivors
from casper_ray.cluster import RayStarting
from casper_ray.config import Environment
from casper_ray.domain.time import sim_micros
from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog, checked_name, open_catalog
from casper_ray.medallion.batches import reads_of, versions_of
from casper_ray.medallion.fan_out import warm_up
from casper_ray.medallion.files import Read
from casper_ray.medallion.hiding import keys_at
from casper_ray.medallion.pass_run import BLOCK_BYTES
from casper_ray.medallion.rule_book import RuleBook
from casper_ray.medallion.runner import Runner, Wishes
from casper_ray.medallion.standalone import pipeline_lease
from casper_ray.security.key_source import CHECKS_FILE, RunKeys, found_keys

_DIMENSIONS = "simulator"
_SAID_EVERY_S = 2.0


class Terms(NamedTuple):
    """By what a batch was made, beside its files: versions of keys, rules, whether late rows counted."""

    keys: tuple[tuple[str, int], ...]
    quality: str
    late_accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Batches of the same terms, one after the other, up to `until_us`."""

    terms: Terms
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be rebuilt: the tables as they were when the batch of `until_us` was over.

    newest: that was the last batch there is.
    """

    until_us: int
    newest: bool
    stretches: tuple[Stretch, ...]
    drops: Drops


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild took. last_window_from_us: when the newest of its windows began; None: it had none."""

    wall_s: float
    files: int
    size_bytes: int
    rows_in: int
    batches: int
    last_window_from_us: int | None


def plan_of(history: History, end_us: int) -> Plan:
    """How to rebuild the tables as they first were with everything up to `end_us`.

    Rules: that is the end of the batch that brought the rest of it; a batch at full speed can go further than a day.
    Keys, rules and whether late rows counted are as they were in the batches, for they are kept elsewhere than in the
    tables: a rebuild with others would differ without a loss. A refresh of all tables made them anew by its own.
    """
    instants = [sim_micros(instant) for instant in history.batches["sim_instant"].drop_nulls()]
    until_us = min(instant for instant in instants if instant >= end_us)
    tables = {table.name for table in history.stored_tables}
    stretches: list[Stretch] = []
    reads: list[tuple[int, Read]] = []
    for row in history.batches.iter_rows(named=True):
        if row["sim_instant"] is None or (instant_us := sim_micros(row["sim_instant"])) > until_us:
            continue
        had = reads_of(row["files"], row["reads"])
        if tables <= set(row["replaces"]):
            stretches.clear()
        elif row["replaces"]:
            continue
        reads += [(instant_us, read) for read in had]
        terms = _terms(row, had)
        if stretches and stretches[-1].terms == terms:
            stretches.pop()
        stretches.append(Stretch(terms=terms, until_us=instant_us))
    newest = until_us == max(instants)
    return Plan(until_us=until_us, newest=newest, stretches=tuple(stretches), drops=Drops.of(reads))


def _terms(row: Mapping[str, Any], reads: tuple[Read, ...]) -> Terms:
    keys = tuple(sorted(versions_of(row["keys"]).items()))
    return Terms(keys, row["quality"], any(read.late_accepted for read in reads))


@contextmanager
def target_catalog(history: History, name: str, *, keep: bool) -> Iterator[Catalog]:
    """An empty catalog with the bank's dimensions and identity, there for the block's time, or kept.

    Its state names the keys that it is written with, and holds none: other keys are refused there.
    Raises: LakeError where it exists already.
    """
    target = Catalog(history.catalog.lake, checked_name("target catalog", name))
    if target.root.exists():
        raise LakeError(
            f"--target-catalog {name}: {target.root} is there already",
            "name another, or remove its folder if nobody needs it",
        )
    try:
        open_catalog(str(target.lake), name)
        for table in history.catalog.root.glob(f"{_DIMENSIONS}/*/_delta_log"):
            shutil.copytree(table.parent, target.table(_DIMENSIONS, table.parent.name))
        shutil.copyfile(history.catalog.world_file, target.world_file)
        checks = history.catalog.state / CHECKS_FILE
        if checks.exists():
            shutil.copyfile(checks, target.state / CHECKS_FILE)
        yield target
    finally:
        if not keep:
            shutil.rmtree(target.root, ignore_errors=True)


def rebuild(
    history: History, plan: Plan, target: Catalog, environment: Environment, told: Callable[[str], None]
) -> Rebuilt:
    """Bring the volumes' files of the plan to the target and run the pipeline over them.

    Bounded as the pipeline is: by the batch, not by the day. Raises: as the pipeline's runner does.
    """
    started_s = time.monotonic()
    keys = found_keys(history.catalog.state)
    files = sorted(
        survivors(history.catalog, history.pipeline, plan.drops, plan.until_us), key=lambda f: f.instant_us
    )
    size_bytes = sum(file.size_bytes for file in files)
    told(f"{len(files):,} files, {size_bytes / 1e6:,.1f} MB of the volumes are brought over")
    rows_in = batches = 0
    with ExitStack() as stack:
        stack.enter_context(pipeline_lease(target, history.pipeline.name))
        if size_bytes > BLOCK_BYTES:
            stack.enter_context(RayStarting(environment, warm_up)).wait()
        for files_of, stretch in _dealt(files, plan.stretches):
            bring(files_of, _volumes(history, history.catalog), _volumes(history, target))
            runner = Runner(REFERENCE, target, _wishes(history, stretch.terms, keys, told))
            for report in runner.run_available(stretch.until_us):
                rows_in += report.counts.rows_in
                batches += 1
                told(f"batch {batches}: {rows_in:,} rows so far, {time.monotonic() - started_s:.1f} s")
    return Rebuilt(
        wall_s=time.monotonic() - started_s,
        files=len(files),
        size_bytes=size_bytes,
        rows_in=rows_in,
        batches=batches,
        last_window_from_us=_last_window_from_us(history, files),
    )


def _dealt(files: list[Survivor], stretches: tuple[Stretch, ...]) -> Iterator[tuple[list[Survivor], Stretch]]:
    """The files of each stretch: those that were there by its end, and not by the one before's."""
    before_us = -1
    for stretch in stretches:
        yield [file for file in files if before_us < file.instant_us <= stretch.until_us], stretch
        before_us = stretch.until_us


def _volumes(history: History, catalog: Catalog) -> Path:
    return history.pipeline.files_root(catalog.root)


def _wishes(history: History, terms: Terms, keys: RunKeys | None, told: Callable[[str], None]) -> Wishes:
    source = keys_at(keys, dict(terms.keys))
    pinned = None if keys is None or source is None else RunKeys(keys.ring, source, keys.warning)
    said_s = time.monotonic()

    def progressed(done: int, of: int) -> None:
        nonlocal said_s
        if done < of and time.monotonic() - said_s >= _SAID_EVERY_S:
            said_s = time.monotonic()
            told(f"block {done} of {of}")

    return Wishes(
        late_accepted=terms.late_accepted,
        judged_by=RuleBook(history.catalog.state / "rules").rules(terms.quality),
        keys=pinned,
        progressed=progressed,
    )


def _last_window_from_us(history: History, files: list[Survivor]) -> int | None:
    windows = (history.pipeline.window_of(file.name) for file in files)
    return max((window.from_us for window in windows if window), default=None)
