"""Complaints on their way: from the world into the volume, as far as the kitchen's tables have come, and on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from casper_ray import durable
from casper_ray.domain.complaints import COMPLAINTS
from casper_ray.domain.time import SimMicros, as_datetime, sim_micros
from casper_ray.errors import ConfigError, LakeError
from casper_ray.failpoints import reach
from casper_ray.lakehouse.batch_versions import left_by
from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import write_data_file
from casper_ray.lakehouse.lease import catalog_lease
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable, TableFormat
from casper_ray.main_job.domains import load_domain
from casper_ray.main_job.identity import resolve_world
from casper_ray.main_job.options import checked_options
from casper_ray.main_job.world_tables import arrow_schema
from casper_ray.medallion.runner import Runner
from casper_ray.medallion.standalone import pipeline_lease
from casper_ray.sim.cursor import Cursor, CursorFile
from casper_ray.sim.kitchen.complaints.generator import ComplaintBook
from casper_ray.sim.kitchen.complaints.grammar import load_grammar
from casper_ray.sim.lander import prepared_part
from casper_ray.sim.window import Window, parts, window_of

SUPPORT: Final = "casper_ray.medallion.support.pipeline:PIPELINE"
_APP = "casper/complaints"


@dataclass(frozen=True, slots=True)
class Come:
    """How far complaints have come. landed, batches: of this run."""

    landed: int
    batches: int
    sim_to: str


class ComplaintFeed:
    """Lands complaints window by window, tells their truth, and runs the pipeline over them.

    Retry: safe, also after a kill: windows are written down before they are landed, and land the same bytes again.
    """

    def __init__(self, catalog: Catalog, book: ComplaintBook, replay_id: str) -> None:
        self._catalog, self._book = catalog, book
        self._volume = catalog.volume("simulator", COMPLAINTS)
        self._file = CursorFile(catalog.state / "complaints" / "cursor.json")
        self.cursor = self._file.load() or _first_cursor(book, replay_id)
        answers = book.answers(0, 1)
        self._truth = OpenTable(
            catalog.table("truth", COMPLAINTS), TableFormat(schema=arrow_schema(answers), stats=("ts",))
        )
        self._runner = Runner(SUPPORT, catalog)

    def advance(self) -> Come:
        """Everything that is due: up to where the kitchen's newest batch stands, and into the tables."""
        landed = sum(self._land(window) for window in self.cursor.pending)
        self._keep(self.cursor.landed())
        if (due_us := kitchen_instant_us(self._catalog)) > self.cursor.position_us:
            self._keep(self.cursor.declare([SimMicros(due_us)]))
            landed += sum(self._land(window) for window in self.cursor.pending)
            self._keep(self.cursor.landed())
        batches = sum(1 for _ in self._runner.run_available(self.cursor.position_us))
        return Come(landed, batches, as_datetime(self.cursor.position_us).isoformat())

    def _keep(self, cursor: Cursor) -> None:
        if cursor != self.cursor:
            self._file.save(cursor)
            self.cursor = cursor

    def _land(self, window: Window) -> int:
        """A window into the truth and into the volume; how many complaints it has."""
        self._tell(window)
        (part,) = parts(window, 1)
        prepared = prepared_part(self._book, {COMPLAINTS: self._volume}, self.cursor.replay_id, part)
        landed = prepared.show()
        if self._volume.exists():
            durable.flush_folder(self._volume)
        return landed.events

    def _tell(self, window: Window) -> None:
        answers = self._book.answers(window.from_us, window.to_us)

        def change(table: OpenTable) -> Change:
            name = f"window-{window.number:08d}.parquet"
            return Change(add=(write_data_file(answers, table.path, name, {}, ("ts",)),))

        commit_once(self._truth, app=_APP, batch=window.number + 1, change=change)
        reach("complaints.told")


@contextmanager
def open_feed(lake: str, catalog: Catalog, rate: float | None) -> Iterator[ComplaintFeed]:
    """The complaints of a catalog's world. It holds the leases of the complaints and of their pipeline.

    rate: None: as before, or the grammar's. Raises: LakeError where the catalog has no kitchen, or another rate was
    asked for than it has; LeaseHeldError where another run has them.
    """
    with ExitStack() as stack:
        stack.enter_context(catalog_lease(catalog, COMPLAINTS))
        stack.enter_context(pipeline_lease(catalog, "support"))
        domain = load_domain("kitchen")
        if not catalog.world_file.exists():
            raise LakeError(
                f"lake {lake}: catalog {catalog.name!r} has no world yet",
                f"`python -m casper_ray.sim --lake {lake}` makes one",
            )
        cursor = CursorFile(catalog.state / "replay" / "cursor.json").load()
        options = checked_options(
            **_AS_STORED, lake=lake, catalog=catalog.name, loop=bool(cursor and cursor.looped)
        )
        identity, world = resolve_world(catalog, options, domain)
        kept = _kept(catalog, rate)
        book = ComplaintBook(world=world, rate=kept["rate"], since_us=kept["since_us"])
        yield ComplaintFeed(catalog, book, f"complaints-{identity.replay_id}")


def follow(feed: ComplaintFeed, stop: threading.Event, tick_s: float, told: Callable[[Come], None]) -> None:
    """Advance with the kitchen until `stop` is set."""
    while not stop.wait(tick_s):
        come = feed.advance()
        if come.landed or come.batches:
            told(come)


def kitchen_instant_us(catalog: Catalog) -> int:
    """Where the kitchen's newest batch stands; before the first, 0. Raises: LakeError where there is no pipeline."""
    instant = left_by(catalog, "lakeflow").sim_instant
    return 0 if instant is None else sim_micros(instant)


def _first_cursor(book: ComplaintBook, replay_id: str) -> Cursor:
    start = SimMicros(max(sim_micros(book.world.epoch), book.since_us))
    return Cursor(
        replay_id=replay_id, position_us=start, next_window=0, live_from_us=start, started_wall_us=0
    )


def _kept(catalog: Catalog, rate: float | None) -> dict[str, Any]:
    """What the catalog's complaints are: their rate, and from which orders on; decided by the first run."""
    path = catalog.state / "complaints" / "complaints.json"
    kept = durable.read_json(path)
    if kept is None:
        wanted = load_grammar().rate if rate is None else rate
        if not 0 <= wanted <= 1:
            raise ConfigError(f"--rate: saw {wanted:g}, expected 0 to 1")
        kept = {"rate": wanted, "since_us": _first_us(catalog)}
        durable.write_json(path, kept)
    elif rate is not None and rate != kept["rate"]:
        raise LakeError(
            f"lake {catalog.lake}, catalog {catalog.name}: its complaints have rate {kept['rate']:g}, "
            f"asked for {rate:g}",
            "leave --rate out to go on with them, or use another --lake",
        )
    return kept


def _first_us(catalog: Catalog) -> int:
    """Where the replay began: of orders before it nothing is in the lake."""
    volume = catalog.volume("simulator", "events")
    windows = (window_of(path.name) for path in volume.glob("*.json"))
    return min((window.from_us for window in windows if window), default=0)


_AS_STORED: Final[dict[str, Any]] = {
    "domain": "kitchen",
    "speed": "max",
    "seed": None,
    "days": None,
    "start_day": None,
    "for_": None,
    "until_day": None,
    "trigger": "continuous",
    "tick": "1s",
    "scenario": None,
    "anchor": None,
    "start_from": None,
    "pipeline": False,
}
