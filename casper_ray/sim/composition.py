"""Scenarios composed from YAML: `one+another`, from left to right."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from casper_ray.errors import ConfigError
from casper_ray.sim.configs import checked, configs_dir, load_mapping

_OF_FAULTS_ONLY = {"name", "description", "faults"}

Scenario = TypeVar("Scenario", bound=BaseModel)


def scenario_files(folder: str = "") -> dict[str, Path]:
    """The built-in scenarios of a folder of configs/scenarios, by name, sorted."""
    paths = (configs_dir() / "scenarios" / folder).glob("*.yml")
    return {path.stem: path for path in sorted(paths)}


def shared_files() -> dict[str, Path]:
    """The built-in scenarios that are of faults alone, which go with any domain's."""
    return {
        name: path
        for name, path in scenario_files().items()
        if (raw := load_mapping(path)).keys() <= _OF_FAULTS_ONLY and "faults" in raw
    }


def composed(model: type[Scenario], names: str, known: Mapping[str, Path]) -> Scenario:
    """The scenario of a known name, of a .yml file, or of several joined with "+".

    Rules:  composed from left to right: scalars of the later win, lists are appended, names and descriptions joined.
    Raises: ConfigError if a name is unknown, a key is unknown, or a value does not fit.
    """
    merged: dict[str, Any] = {}
    for name in (part.strip() for part in names.split("+")):
        path = _path(name, known)
        raw = {"name": path.stem, **load_mapping(path)}
        checked(model, raw, str(path))
        merged = _merge(merged, raw) if merged else raw
    return checked(model, merged, names)


def _path(name: str, known: Mapping[str, Path]) -> Path:
    if name.endswith((".yml", ".yaml")):
        path = Path(name)
        if not path.is_file():
            raise ConfigError(f"scenario {name}: there is no such file")
        return path
    if name in known:
        return known[name]
    raise ConfigError(f"scenario {name!r}: unknown", _hint(name, tuple(known)))


def _hint(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    return f"{meant}known are {', '.join(known)}, or a .yml file"


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
