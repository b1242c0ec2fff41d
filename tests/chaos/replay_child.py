"""A replay of events from a file, without Ray and without a clock: what the main job does, window after window.

python replay_child.py LAKE EVENTS.arrow WINDOWS    lands what a crash left, then so many windows more
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from casper_ray.config import load_environment
from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS
from casper_ray.domain.time import CANONICAL_EPOCH, US_PER_S, sim_micros
from casper_ray.failpoints import reach
from casper_ray.lakehouse.names import Catalog
from casper_ray.sim.cursor import Cursor, CursorFile
from casper_ray.sim.lander import Lander
from casper_ray.sim.landing import render_lines
from casper_ray.sim.replay import Replay

REPLAY_ID = "told-42"
WINDOW_US = 600 * US_PER_S
_START_US = sim_micros(CANONICAL_EPOCH)


class ToldEvents:
    """Events that were made before."""

    def __init__(self, path: Path) -> None:
        self._events = pl.read_ipc(path)

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        return self._events.filter(pl.col("ts_us").is_between(from_us, to_us, closed="left"))

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        return render_lines(events, EVENT_COLUMNS)

    def counted(self, feed: str, events: pl.DataFrame) -> int:
        return 0


def main(lake: str, events: str, windows: str) -> None:
    load_environment()
    where = Catalog(Path(lake), "caspers")
    file = CursorFile(where.state / "replay" / "cursor.json")
    new = Cursor(
        replay_id=REPLAY_ID,
        position_us=_START_US,
        next_window=0,
        live_from_us=_START_US,
        started_wall_us=_START_US,
    )
    replay = Replay(file, file.load() or new, epoch_us=_START_US, expected_events=_few)
    lander = Lander(ToldEvents(Path(events)), {EVENTS: where.volume("simulator", EVENTS)}, REPLAY_ID, _few)
    lander.remove_unfinished()
    if pending := replay.cursor.pending:
        lander.start(pending).wait()
        replay.landed()
    for _ in range(int(windows)):
        lander.start(replay.declare(replay.cursor.position_us + WINDOW_US)).wait()
        replay.landed()
    replay.save()
    reach("cursor.after")


def _few(from_us: int, to_us: int) -> float:
    return 0.0


if __name__ == "__main__":
    main(*sys.argv[1:])
