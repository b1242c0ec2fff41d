"""The Ray that work runs on: this machine's own, or the one that `RAY_ADDRESS` names. Quiet either way."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from casper_ray.config import Environment
from casper_ray.errors import ConfigError, RetryLater

_REACH_S, _WARM_UP_S = 5.0, 20.0
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_OBJECT_STORE_BYTES = 256 << 20
"""What crosses the object store is small: file names and partial aggregates."""

_TOO_SLOW = "timed out during startup"
"""Ray says so with a bare `Exception`: its raylet did not register within 30 s, which no setting moves."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
}
_SOON = {
    "RAY_raylet_client_connect_timeout_milliseconds": "50",
    "RAY_raylet_client_num_connect_attempts": "200",
}
"""A raylet opens its object store and connects to it at the same time. Where it comes too early, which about every
second one does, it tries again: after a second as Ray has it, ten times; so ten seconds in all, here as there."""
_THREADS: Final = "POLARS_MAX_THREADS"
_WORKER_ENV = {
    _THREADS: "1",
    "OMP_NUM_THREADS": "1",
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
"""A worker is one of as many as there are processors; threads of its own would only be in the others' way. And
it does the same work over and over: polars' allocator keeps its pages (a seventh less processor time), and so
does the C library's, for the buffers that files are read into (another eighth)."""


def set_variables(variables: Mapping[str, str]) -> None:
    """Environment variables of this process and of the workers that it starts, whatever was set; of Ray's and the
    workers' usual ones what is set stays.
    """
    os.environ.update(variables)
    for name, value in (_QUIET | _SOON | _WORKER_ENV).items():
        os.environ.setdefault(name, value)


def one_thread() -> None:
    """One thread for polars in this process, as its workers have it; to be said before polars is imported.

    For whoever asks of one row at a time: a call takes longer where another thread has to be woken for it.
    """
    os.environ.setdefault(_THREADS, "1")


def start_ray(environment: Environment, variables: Mapping[str, str] = _NONE) -> None:
    """Start Ray, or join the cluster at `RAY_ADDRESS`; nothing if this process already has one.

    variables: of the environment, for the workers too.
    Raises: ConfigError where nobody answers at the address; RetryLater where this machine is too busy to start one.
    """
    set_variables(variables)
    import ray

    if ray.is_initialized():
        return
    for name in ("ray", "ray._private"):  # the second by itself too: importing ray.data sets the first anew
        logging.getLogger(name).setLevel(logging.ERROR)
    address = environment.ray_address
    options = _joining(address, variables) if address else _local(environment.cpus)
    try:
        ray.init(log_to_driver=False, configure_logging=False, **options)
    except (
        ConnectionError
    ) as error:  # somebody listens there, or a name stands for it, and it is no Ray of ours
        raise ConfigError(
            f"RAY_ADDRESS: {str(error).splitlines()[0]}",
            "give the address as `ray start --head` tells it, and RAY_AUTH_MODE (and its token) as it has them",
        ) from error
    except Exception as error:
        if _TOO_SLOW not in str(error):
            raise
        raise RetryLater(
            "Ray did not come up in half a minute: this machine has too much to do", 60
        ) from error


def stop_ray() -> None:
    """End this process's Ray, if it has one."""
    import ray

    ray.shutdown()


class RayStarting:
    """Ray coming up in the background, for as long as the block lasts; the caller does what needs no Ray yet.

    warm_up(cpus): called once Ray is up, also in the background. variables: as `start_ray` takes them.

    The thread that starts Ray stays until the process ends: Linux ends Ray's processes with the thread that
    made them, not with the process.
    """

    def __init__(
        self,
        environment: Environment,
        warm_up: Callable[[int], None] | None = None,
        variables: Mapping[str, str] = _NONE,
    ) -> None:
        self._environment, self._warm_up, self._variables = environment, warm_up, variables
        self._error: BaseException | None = None
        self._up, self._warmed = threading.Event(), threading.Event()

    def __enter__(self) -> Self:
        set_variables(self._variables)  # before the block imports what reads them
        threading.Thread(target=self._start, name="ray", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._up.wait()
        if not self.wait_until_warm():
            logging.disable(
                logging.CRITICAL
            )  # Ray would tell of a head start that it lost; the run's end is told
        stop_ray()

    def wait(self) -> None:
        """Until Ray is up. Raises: what kept it from coming up."""
        self._up.wait()
        if self._error is not None:
            raise self._error

    def wait_until_warm(self) -> bool:
        """Until the head start is over too, however it went. False: it takes too long to be waited for."""
        return self._warmed.wait(_WARM_UP_S)

    def _start(self) -> None:
        try:
            start_ray(self._environment, self._variables)
        except BaseException as error:
            self._error = error
        self._up.set()
        if self._warm_up and self._error is None:
            with suppress(Exception):  # a head start and no more: what is amiss, the first batch will say
                self._warm_up(self._environment.cpus)
        self._warmed.set()
        threading.Event().wait()


def _joining(address: str, variables: Mapping[str, str]) -> dict[str, Any]:
    check_reachable(address)
    return {"address": address, "runtime_env": {"env_vars": _WORKER_ENV | dict(variables)}}


def check_reachable(address: str) -> None:
    """Raises: ConfigError where nobody listens at host:port; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if "://" in address or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_REACH_S).close()
    except OSError as error:
        raise ConfigError(
            f"RAY_ADDRESS: no Ray answers at {address} ({error.strerror or error})",
            "start one with `ray start --head`, or unset RAY_ADDRESS for a Ray of this process's own",
        ) from error


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
