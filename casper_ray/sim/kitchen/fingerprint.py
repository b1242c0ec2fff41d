"""What makes a kitchen world the same world."""

from __future__ import annotations

import hashlib
from datetime import datetime

from casper_ray.sim.kitchen.menu import Menu
from casper_ray.sim.kitchen.places import Location
from casper_ray.sim.kitchen.streams import STREAM_VERSION
from casper_ray.sim.scenario import Scenario

WORLD_FORMAT = 1
"""Raised whenever the same seed and scenario would give other bytes than before."""


def fingerprint(
    seed: int, scenario: Scenario, days: int, epoch: datetime, locations: tuple[Location, ...], menu: Menu
) -> str:
    """16 hex digits: alike for worlds that tell the same events."""
    parts = (WORLD_FORMAT, STREAM_VERSION, seed, scenario.digest(), days, epoch.isoformat(), locations, menu)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
