"""The Ray that work runs on: this machine's own, or the one that `RAY_ADDRESS` names. Quiet either way."""

from __future__ import annotations

import logging
import os
from typing import Any

from casper_ray.config import Environment

_OBJECT_STORE_BYTES = 256 << 20
"""What crosses the object store is small: file names and partial aggregates."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
}
_WORKER_ENV = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""A worker is one of as many as there are processors; threads of its own would only be in the others' way."""


def start_ray(environment: Environment) -> None:
    """Start Ray, or join the cluster at `RAY_ADDRESS`; nothing if this process already has one."""
    for name, value in (_QUIET | _WORKER_ENV).items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    options = _joining(environment.ray_address) if environment.ray_address else _local(environment.cpus)
    ray.init(log_to_driver=False, configure_logging=False, **options)


def stop_ray() -> None:
    """End this process's Ray, if it has one."""
    import ray

    ray.shutdown()


def _joining(address: str) -> dict[str, Any]:
    return {"address": address, "runtime_env": {"env_vars": _WORKER_ENV}}


def _local(cpus: int) -> dict[str, Any]:
    """Workers of a local Ray inherit this process's environment; a `runtime_env` would say the same, but costs
    seconds: workers that were started ahead could not be used.
    """
    return {
        "address": "local",
        "num_cpus": cpus,
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
    }
