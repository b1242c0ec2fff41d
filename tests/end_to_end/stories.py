"""What the baseline world tells between two instants, asked of the world itself rather than of a run."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS
from casper_ray.domain.time import sim_micros
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.landing import render_lines
from casper_ray.sim.scenario import load_scenario


def told_between(start: str, stop: str) -> Counter[bytes]:
    """The lines of the baseline world of seed 42 with start <= ts < stop (ISO 8601)."""
    world = KitchenWorld.build(load_scenario("baseline"), 42)
    bounds = [sim_micros(datetime.fromisoformat(instant)) for instant in (start, stop)]
    return Counter(render_lines(world.events(EVENTS, *bounds), EVENT_COLUMNS).splitlines())
