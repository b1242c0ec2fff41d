"""Scenarios: what happens to the kitchens, as YAML. They compose: `baseline+driver_shortage`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from casper_ray.config_files import configs_dir
from casper_ray.sim.compose import composed, content_digest, file_as_named, unknown_scenario
from casper_ray.sim.faults.spec import Faults
from casper_ray.sim.kitchen.incidents import Incident
from casper_ray.sim.kitchen.places import Location
from casper_ray.spec import Spec

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
        """See `content_digest`."""
        return content_digest(self, self.faults)


def scenario_names() -> tuple[str, ...]:
    """The built-in scenarios, sorted."""
    return tuple(sorted(path.stem for path in (configs_dir() / "scenarios").glob("*.yml")))


def load_scenario(names: str) -> Scenario:
    """The scenario of a built-in name, of a .yml file, or of several joined with "+".

    Rules:  composed from left to right: scalars of the later win, lists are appended.
    Raises: ConfigError if a name is unknown, a key is unknown, or a value does not fit.
    """
    return composed(Scenario, names, _scenario_path)


def _scenario_path(name: str) -> Path:
    if path := file_as_named(name):
        return path
    known = scenario_names()
    if name in known:
        return configs_dir() / "scenarios" / f"{name}.yml"
    raise unknown_scenario(name, known)
