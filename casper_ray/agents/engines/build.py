"""Engines by the names that commands know."""

from __future__ import annotations

from casper_ray.agents.engines.engine import Engine
from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.errors import ConfigError

ENGINES = {"policy": PolicyEngine}


def build_engine(name: str) -> Engine:
    """The engine of a name. Raises: ConfigError."""
    if name not in ENGINES:
        raise ConfigError(f"--engine: saw {name!r}, expected one of {sorted(ENGINES)}")
    return ENGINES[name]()
