"""Scenarios: what happens to the kitchens, as YAML. They compose: `baseline+driver_shortage`."""

from __future__ import annotations

import hashlib

from pydantic import Field

from casper_ray.sim.composition import composed, scenario_files
from casper_ray.sim.faults.spec import Faults
from casper_ray.sim.kitchen.incidents import Incident
from casper_ray.sim.kitchen.places import Location, Spec

DEFAULT_DAYS = 90


class Replicas(Spec):
    """As many locations as wanted, made after the ones there are; their sizes may be set alike."""

    locations: int = Field(ge=1, le=100_000)
    base_orders: float | None = Field(default=None, gt=0)
    daily_growth: float | None = Field(default=None, gt=-0.5, lt=0.5)


class Scenario(Spec):
    """What a world is built for. Everything has a default: the empty scenario is the baseline.

    name         as it was asked for; joined with "+" when composed
    days         length of the dataset; may be overridden when a world is built
    locations    added to those of configs/kitchen/locations.yml
    replicas     how many locations there are to be in all
    incidents    what goes wrong, where and when
    faults       what goes wrong with the telling of it
    """

    name: str = Field(min_length=1)
    description: str = ""
    days: int = Field(default=DEFAULT_DAYS, ge=1)
    locations: tuple[Location, ...] = ()
    replicas: Replicas | None = None
    incidents: tuple[Incident, ...] = ()
    faults: Faults | None = None

    def digest(self) -> str:
        """16 hex digits of the content: alike for alike scenarios, whatever their name or description."""
        without = {"name", "description"} | ({"faults"} if self.faults is None else set())
        content = self.model_dump_json(exclude=without)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def scenario_names() -> tuple[str, ...]:
    """The built-in scenarios of the kitchen and those of faults alone, sorted."""
    return tuple(scenario_files())


def load_scenario(names: str) -> Scenario:
    """The scenario of a built-in name, of a .yml file, or of several joined with "+"; see `composed`."""
    return composed(Scenario, names, scenario_files())
