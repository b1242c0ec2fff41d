"""Scenarios: what happens to the kitchens, as YAML. They compose: `baseline+driver_shortage`."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Any

from pydantic import Field

from casper_ray.errors import ConfigError
from casper_ray.sim.configs import checked, configs_dir, load_mapping
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
    """The built-in scenarios, sorted."""
    return tuple(sorted(path.stem for path in (configs_dir() / "scenarios").glob("*.yml")))


def load_scenario(names: str) -> Scenario:
    """The scenario of a built-in name, of a .yml file, or of several joined with "+".

    Rules:  composed from left to right: scalars of the later win, lists are appended.
    Raises: ConfigError if a name is unknown, a key is unknown, or a value does not fit.
    """
    merged: dict[str, Any] = {}
    for name in (part.strip() for part in names.split("+")):
        path = _scenario_path(name)
        raw = {"name": path.stem, **load_mapping(path)}
        checked(Scenario, raw, str(path))
        merged = _merge(merged, raw) if merged else raw
    return checked(Scenario, merged, names)


def _scenario_path(name: str) -> Path:
    if name.endswith((".yml", ".yaml")):
        path = Path(name)
        if not path.is_file():
            raise ConfigError(f"scenario {name}: there is no such file")
        return path
    known = scenario_names()
    if name in known:
        return configs_dir() / "scenarios" / f"{name}.yml"
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ConfigError(f"scenario {name!r}: unknown", f"{hint}known are {', '.join(known)}, or a .yml file")


def _merge(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    merged = dict(earlier)
    for key, value in later.items():
        before = merged.get(key)
        if key in ("name", "description") and before:
            merged[key] = f"{before}+{value}" if key == "name" else f"{before} {value}"
        elif isinstance(value, list) and isinstance(before, list):
            merged[key] = [*before, *value]
        elif isinstance(value, dict) and isinstance(before, dict):
            merged[key] = {**before, **value}
        else:
            merged[key] = value
    return merged
