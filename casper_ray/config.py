"""What the environment says. Only this module and `cli` read it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from casper_ray import failpoints
from casper_ray.errors import ConfigError

DEFAULT_LAKE = ".casper/lake"
DEFAULT_CATALOGS = {"kitchen": "caspers", "bank": "bank_dev"}
"""By domain."""
DEFAULT_CATALOG = DEFAULT_CATALOGS["kitchen"]
"""Of commands that are told of no domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Settings that belong to the machine rather than to a run."""

    ray_address: str | None
    cpus: int


def load_environment(env: Mapping[str, str] = os.environ) -> Environment:
    """The settings of `RAY_ADDRESS` and `CASPER_CPUS`; arms `CASPER_FAILPOINT=name[@hit]` for kill tests.

    Raises: ConfigError where a value cannot be used.
    """
    if failpoint := env.get("CASPER_FAILPOINT"):
        name, _, hit = failpoint.rpartition("@")
        failpoints.arm(name or failpoint, _positive("CASPER_FAILPOINT", hit) if name else 1)
    cpus = env.get("CASPER_CPUS")
    return Environment(
        ray_address=env.get("RAY_ADDRESS") or None,
        cpus=_positive("CASPER_CPUS", cpus) if cpus else max(2, len(os.sched_getaffinity(0))),
    )


def _positive(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ConfigError(f"{name}: saw {text!r}, expected a whole number above 0")
    return int(text)
