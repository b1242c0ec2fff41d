"""Settings of engines that need no configuration, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casper_ray.agents.engines.policy import PolicyEngine
from casper_ray.errors import ConfigError


def engine_settings(name: str) -> Mapping[str, Any]:
    """The settings that an agent's version is of. Raises: ConfigError."""
    if name != PolicyEngine.name:
        raise ConfigError(f"engine {name!r}: cannot be registered by its name", "engines are ['policy']")
    return PolicyEngine().settings
