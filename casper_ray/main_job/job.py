"""One run of the main job, from the lake's lock to the summary."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import polars as pl

from casper_ray.cluster import RayStarting
from casper_ray.config import Environment
from casper_ray.console.progress import Summary, Watcher
from casper_ray.domain.time import US_PER_DAY, SimMicros, sim_micros
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.lease import Lease, catalog_lease
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.main_job.domains import load_domain
from casper_ray.main_job.domains.domain import Domain, Places
from casper_ray.main_job.identity import Identity, resolve_world, start_day
from casper_ray.main_job.loop import ReplayLoop
from casper_ray.main_job.options import JobOptions
from casper_ray.main_job.report import Reporter
from casper_ray.main_job.world_tables import TruthWriter, write_dimensions
from casper_ray.medallion.fan_out import warm_up
from casper_ray.medallion.pipelines import PIPELINES
from casper_ray.medallion.runner import Runner, Wishes
from casper_ray.sim.clock import wall_now
from casper_ray.sim.control import Control
from casper_ray.sim.cursor import Cursor, CursorFile
from casper_ray.sim.faults.told import ToldWorld
from casper_ray.sim.lander import FileFaults, Lander
from casper_ray.sim.replay import Chunk, Replay
from casper_ray.sim.world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. interrupted: by Ctrl-C or SIGTERM, with everything saved."""

    summary: Summary
    interrupted: bool


def run_job(options: JobOptions, environment: Environment, watcher: Watcher) -> Outcome:
    """Simulate or reuse the world, catch up, replay at the speed asked for, keep the tables up to date.

    Retry: safe, also after it was killed: it goes on where it was.
    Raises: UserError for what the caller can mend; LeaseHeldError where another run has the lake.
    """
    started_s = time.monotonic()
    domain = load_domain(options.domain)
    if options.loop and not domain.loops:
        raise ConfigError(
            f"--loop: the {domain.name}'s world ends with its last day", "--days N gives it more days"
        )
    catalog = open_catalog(options.lake, options.catalog)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        leases = _leases(stack, catalog, options)
        identity, world = resolve_world(catalog, options, domain)
        told = ToldWorld(world, domain.feeds, world.scenario.faults)
        replay = _replay(catalog, options, identity, world, start_day(options, domain))
        watcher.started(_title(identity, options))
        for lease in leases:
            if lease.taken_from:
                watcher.noted(f"taken over from process {lease.taken_from.pid}, which died holding the lease")
        starting = stack.enter_context(RayStarting(environment, warm_up if options.pipeline else None))
        loop = _built_loop(
            options,
            catalog,
            domain,
            identity,
            told,
            replay,
            watcher,
            stop,
            started_s,
            starting.wait_until_warm,
        )
        starting.wait()
        ended = loop.run()
        return Outcome(loop.reporter.finish(ended, replay.cursor.position_us), stop.is_set())


def _built_loop(
    options: JobOptions,
    catalog: Catalog,
    domain: Domain[Any],
    identity: Identity,
    told: ToldWorld,
    replay: Replay,
    watcher: Watcher,
    stop: threading.Event,
    started_s: float,
    warm: Callable[[], object],
) -> ReplayLoop:
    """Everything a run needs, opened and put together; nothing of it needs Ray before it runs."""
    world, end_us = told.world, _end_us(options, told)
    dimensions = world.dimensions()
    write_dimensions(catalog, dimensions)
    wishes = Wishes(quality=options.quality)
    runner = Runner(PIPELINES[domain.name], catalog, wishes) if options.pipeline else None
    if runner and runner.warning:
        watcher.noted(runner.warning)
    reporter = Reporter(
        watcher=watcher,
        catalog=catalog,
        domain=domain,
        identity=identity,
        options=options,
        names=_place_names(domain.places, dimensions),
        runner=runner,
        started_s=started_s,
        sim_from_us=replay.cursor.position_us,
        end_us=end_us,
    )
    files = told.faults.files if told.faults else None
    lander = Lander(
        told,
        {feed: catalog.volume("simulator", feed) for feed in world.feeds},
        identity.replay_id,
        world.expected_events,
        FileFaults(files, world.seed) if files else None,
    )
    return ReplayLoop(
        options=options,
        replay=replay,
        lander=lander,
        runner=runner,
        truth=TruthWriter(catalog, world, domain.truth),
        control=Control(catalog.state / "replay"),
        reporter=reporter,
        end_us=end_us,
        stop=stop,
        warm=warm,
    )


def _leases(stack: ExitStack, catalog: Catalog, options: JobOptions) -> list[Lease]:
    """The replay's lease, and the pipeline's if it runs here too."""
    wanted = ["replay", *([f"{options.domain}-pipeline"] if options.pipeline else [])]
    return [stack.enter_context(catalog_lease(catalog, name)) for name in wanted]


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C (or SIGTERM) sets; the second ends the process where it stands.

    Ending anywhere is safe, the tables and the cursor are made for that; the first one only ends tidily.
    """
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _replay(
    catalog: Catalog, options: JobOptions, identity: Identity, world: World, first_day: int
) -> Replay:
    file = CursorFile(catalog.state / "replay" / "cursor.json")
    cursor = file.load()
    if cursor is None:
        cursor = replace(_first_cursor(options, identity, first_day), looped=options.loop)
    elif options.start_from is not None:
        raise ConfigError(
            "--from: this lake has a replay that is under way", "use another --lake, or leave --from out"
        )
    else:
        cursor = _looping(cursor, world, options.loop)
    epoch_us = sim_micros(identity.epoch)
    day_events = world.expected_events(epoch_us, epoch_us + world.days * US_PER_DAY) / world.days
    return Replay(
        file,
        cursor,
        epoch_us=epoch_us,
        expected_events=world.expected_events,
        sizes=Chunk.of_days(day_events),
    )


def _looping(cursor: Cursor, world: World, loop: bool) -> Cursor:
    """The cursor of a run that loops or does not. Raises: ConfigError where it cannot loop any more: a run that did
    not has passed the midnight at which the next loop's orders begin, and landed none of them.
    """
    midnight = sim_micros(world.epoch) + world.days * US_PER_DAY
    reached_us = cursor.pending[-1].to_us if cursor.pending else cursor.position_us
    if reached_us <= midnight:
        return replace(cursor, looped=loop)
    if loop and not cursor.looped:
        raise ConfigError(
            "--loop: the replay on this lake has gone past the next loop's first midnight without it",
            "use another --lake, and --loop from its first run on",
        )
    return cursor


def _first_cursor(options: JobOptions, identity: Identity, first_day: int) -> Cursor:
    """The first run: from day 0, catching up to the start day at the current time of day; or `--from`."""
    now = wall_now()
    epoch_us = sim_micros(identity.epoch)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    time_of_day_us = (sim_micros(now) - sim_micros(midnight)) // 1000 * 1000
    live_from = SimMicros(epoch_us + first_day * US_PER_DAY + time_of_day_us)
    start = live_from = sim_micros(options.start_from) if options.start_from else live_from
    return Cursor(
        replay_id=identity.replay_id,
        position_us=start if options.start_from else epoch_us,
        next_window=0,
        live_from_us=live_from,
        started_wall_us=sim_micros(now),
    )


def _end_us(options: JobOptions, told: ToldWorld) -> float:
    """Where this run ends at the latest: the data's end, or `--until-day`."""
    end = math.inf if options.loop else float(told.end_us())
    if options.until_day is None:
        return end
    until = sim_micros(told.world.epoch) + options.until_day * US_PER_DAY
    return min(end, 1000 * math.floor(until / 1000))


def _place_names(places: Places, dimensions: Mapping[str, pl.DataFrame]) -> dict[Any, str]:
    return dict(dimensions[places.dimension].select(places.place, places.name).iter_rows())


def _title(identity: Identity, options: JobOptions) -> str:
    speed = "as fast as it goes" if math.isinf(options.speed) else f"{options.speed:g}x"
    return f"{identity.domain} · {identity.scenario} · seed {identity.seed} · {identity.days} days · {speed}"
