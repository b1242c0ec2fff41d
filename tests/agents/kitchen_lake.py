"""Lakes of the kitchen for agents: days of the baseline world, or orders made by hand, through the real pipeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from small_lake import NOON, SmallLake, item, minute_us, window_name

from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.domain.kitchen import DELIVERED, EVENTS
from casper_ray.domain.time import US_PER_DAY, SimMicros, sim_micros
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.scenario import load_scenario
from casper_ray.sim.window import Part, Window, file_name

DAYS, WINDOWS_A_DAY = 2, 4


def lake_of_days(folder: Path) -> SmallLake:
    """Two days of the baseline world, a batch every six hours."""
    lake = SmallLake.at(folder)
    world = KitchenWorld.build(load_scenario("baseline"), seed=42, days=DAYS)
    start_us, step_us = sim_micros(world.epoch), US_PER_DAY // WINDOWS_A_DAY
    for number in range(DAYS * WINDOWS_A_DAY):
        first = SimMicros(start_us + number * step_us)
        window = Window(number, first, SimMicros(first + step_us))
        events = world.events(EVENTS, window.from_us, window.to_us)
        name = file_name("r-42", Part(window, 0, window.from_us, window.to_us))
        lake.drop(name, world.lines(EVENTS, events))
        lake.run()
    return lake


def event(kind: str, order: str, minutes: float, number: int, **fields: Any) -> bytes:
    """The line of an event, minutes from noon; number: makes its id."""
    told = {
        "event_id": f"e-{order}-{number}",
        "event_type": kind,
        "ts": f"{NOON + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}.000",
        "location_id": 1,
        "order_id": order,
        "sequence": number,
        "body": "{}",
    }
    return json.dumps({**told, **fields}).encode() + b"\n"


def created(
    order: str, minutes: float, *, price: float = 20.0, address: str = "1 Quay St", **f: Any
) -> bytes:
    body = json.dumps({"customer_addr": address, "items": [item(price=price)]})
    return event("order_created", order, minutes, f.pop("number", 0), body=body, **f)


def delivered(order: str, minutes: float, **fields: Any) -> bytes:
    return event(DELIVERED, order, minutes, fields.pop("number", 7), **fields)


def store_of(folder: Path, *windows: Sequence[bytes], minutes: float = 60) -> KitchenStore:
    """A store over hand-made windows, so many minutes each from noon, a batch each."""
    lake = SmallLake.at(folder)
    for number, lines in enumerate(windows):
        drop_window(lake, number, lines, minutes=minutes)
    return KitchenStore(lake.catalog)


def drop_window(lake: SmallLake, number: int, lines: Sequence[bytes], *, minutes: float = 60) -> None:
    lake.drop(window_name(number, number * minutes, (number + 1) * minutes), *lines)
    lake.run(minute_us((number + 1) * minutes))
