"""Where the YAML that ships with casper_ray lies, and how one of its files is read."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from casper_ray.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "configs", _PACKAGE.parent / "configs")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Model = TypeVar("Model", bound=BaseModel)


@cache
def configs_dir() -> Path:
    """The folder of the shipped configuration: inside an installed package, or beside it in a checkout."""
    for place in _PLACES:
        if (place / "kitchen").is_dir():
            return place
    raise ConfigError(
        f"configs: not found at {' or '.join(map(str, _PLACES))}", "was casper_ray installed whole?"
    )


def load_mapping(path: Path) -> dict[str, Any]:
    """The YAML mapping in `path`.

    Raises: ConfigError if it cannot be read, is no YAML, or holds something other than a mapping.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({type(error).__name__})") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not YAML ({_one_line(str(error))})") from error
    if raw is None:
        return {}
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise ConfigError(f"{path}: expected a mapping of names, saw {type(raw).__name__}")
    return raw


def checked(model: type[Model], raw: dict[str, Any], where: str) -> Model:
    """`raw` as `model`.

    Raises: ConfigError, one line, of the first thing that does not fit: where, what, what is known.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise _config_error(model, error, where) from error


def _config_error(model: type[BaseModel], error: ValidationError, where: str) -> ConfigError:
    problems = error.errors()
    extra = [p for p in problems if p["type"] == "extra_forbidden"]
    if extra:
        parent = extra[0]["loc"][:-1]
        unknown = {str(p["loc"][-1]) for p in extra if p["loc"][:-1] == parent}
        spot = f"{where}: {'.'.join(map(str, parent))}" if parent else where
        return ConfigError.unknown_keys(spot, unknown, _known_keys(model, parent))
    first = problems[0]
    spot = ".".join(map(str, first["loc"]))
    saw = "" if first["type"] in ("missing", "value_error") else f", saw {first['input']!r}"[:80]
    return ConfigError(
        f"{where}: {spot + ': ' if spot else ''}{_one_line(first['msg'].removeprefix('Value error, '))}{saw}"
    )


def _known_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """Field names of the model that stands at `loc` below `model`."""
    for step in loc:
        if isinstance(step, str) and step in model.model_fields:
            model = _model_in(model.model_fields[step].annotation) or model
    return set(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in found if model is not None), None)


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace(os.linesep, " ")
