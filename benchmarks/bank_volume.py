"""The default bank's feeds as files of one day each, with its dimensions and keys: what `peers/` read.

python benchmarks/bank_volume.py FOLDER [DAYS]
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import polars as pl

from casper_ray.domain.time import US_PER_DAY, SimMicros, sim_micros
from casper_ray.sim.bank.scenario import load_bank_scenario
from casper_ray.sim.bank.world import BankWorld
from casper_ray.sim.window import Part, Window, file_name

DAYS = 45
DIMENSIONS = ("exchange_rates", "merchants", "branches")
_KEY_BYTES = {"token": 32, "vault": 64}


def write_bank_volume(folder: Path, days: int = DAYS) -> Path:
    """5,000 customers (seed 42): FEED/*.json, dimensions/NAME.parquet and keys.json. Returns `folder`.

    Files are named by their windows, as a replay's: an event is then known from its own instant on, in whichever
    batch it comes. A processor's duplicates are left out, each event is there once: the peers do not look for them,
    and ours does all the same.
    """
    world = BankWorld.build(load_bank_scenario("bank_baseline"), 42, days)
    for feed in world.feeds:
        (folder / feed).mkdir(parents=True)
        _write_feed(world, feed, folder / feed)
    (folder / "dimensions").mkdir()
    for name, rows in world.dimensions().items():
        if name in DIMENSIONS:
            rows.write_parquet(folder / "dimensions" / f"{name}.parquet")
    _write_keys(folder / "keys.json")
    return folder


def link_first_days(volume: Path, folder: Path, days: int) -> Path:
    """The first days of a volume, as links, with the same dimensions and key. Returns `folder`."""
    for feed in volume.iterdir():
        if feed.name in ("dimensions", "keys.json"):
            (folder / feed.name).symlink_to(feed)
            continue
        (folder / feed.name).mkdir(parents=True)
        for file in sorted(feed.iterdir())[:days]:
            (folder / feed.name / file.name).symlink_to(file)
    return folder


def _write_feed(world: BankWorld, feed: str, folder: Path) -> None:
    start = sim_micros(world.epoch)
    before = pl.Series(dtype=pl.String)
    for day in range(world.days + 1):
        since, until = SimMicros(start + day * US_PER_DAY), SimMicros(start + (day + 1) * US_PER_DAY)
        part = Part(Window(day, since, until), 0, since, until)
        events = world.events(feed, since, until)
        once = events.unique("event_id", keep="first", maintain_order=True)
        once = once.filter(~pl.col("event_id").is_in(before.implode()))  # one comes again after midnight
        before = once["event_id"]
        if once.height:
            (folder / file_name("bench", part)).write_bytes(world.lines(feed, once))


def _write_keys(path: Path) -> None:
    """The same keys each time: of a benchmark, no secret."""
    keys = {
        purpose: {"1": hashlib.shake_256(f"benchmark {purpose}".encode()).hexdigest(size)}
        for purpose, size in _KEY_BYTES.items()
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(keys))


if __name__ == "__main__":
    write_bank_volume(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else DAYS)
