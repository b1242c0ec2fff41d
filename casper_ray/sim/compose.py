"""Scenarios by name: where their files lie, how several become one, and whether two are alike."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from casper_ray.config_files import Model, checked, load_mapping
from casper_ray.errors import ConfigError
from casper_ray.sim.faults.spec import Faults
from casper_ray.spec import Spec


def composed(model: type[Model], names: str, path_of: Callable[[str], Path]) -> Model:
    """The scenario of the files of `names`, which are joined with "+".

    Rules:  composed from left to right: scalars of the later win, lists are appended, names and descriptions joined.
    Raises: ConfigError if a file's content does not fit, alone or together.
    """
    merged: dict[str, Any] = {}
    for name in (part.strip() for part in names.split("+")):
        path = path_of(name)
        raw = {"name": path.stem, **load_mapping(path)}
        checked(model, raw, str(path))
        merged = _merge(merged, raw) if merged else raw
    return checked(model, merged, names)


def content_digest(scenario: Spec, faults: Faults | None) -> str:
    """16 hex digits of a scenario's content: alike for alike scenarios, whatever their name or description.

    faults: the scenario's own. They count where there are any: what is told of the same world is then something else.
    """
    without = {"name", "description"} | ({"faults"} if faults is None else set())
    return hashlib.sha256(scenario.model_dump_json(exclude=without).encode()).hexdigest()[:16]


def file_as_named(name: str) -> Path | None:
    """The .yml file that `name` is the path of; None if it is no path.

    Raises: ConfigError if there is no such file.
    """
    if not name.endswith((".yml", ".yaml")):
        return None
    path = Path(name)
    if not path.is_file():
        raise ConfigError(f"scenario {name}: there is no such file")
    return path


def unknown_scenario(name: str, known: Iterable[str]) -> ConfigError:
    """The error of a name that is none of the known ones."""
    known = tuple(known)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return ConfigError(f"scenario {name!r}: unknown", f"{hint}known are {', '.join(known)}, or a .yml file")


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
