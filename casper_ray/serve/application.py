"""The application of Ray Serve: doors, proposers by agent, keepers by catalog. `build` is what configurations name.

A door takes requests, proves who asks and gathers; a proposer works out what its agent proposes, for many cases in
one call; the catalog's one keeper judges and commits. Doors and proposers keep nothing: there can be any number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from casper_ray.config_files import checked
from casper_ray.serve.deciding.served import build_served, catalogs_of
from casper_ray.serve.settings import AgentSettings, DoorSettings, ServeSettings

if TYPE_CHECKING:
    from ray.serve import Application

_HEALTH: Final = {"health_check_period_s": 2.0, "health_check_timeout_s": 10.0}
"""A replica that died is replaced when its actor's end is seen, at once; one that hangs, after so long."""
_DRAIN: Final = {"graceful_shutdown_wait_loop_s": 0.1, "graceful_shutdown_timeout_s": 20.0}
"""A replica that is to go takes nothing new, and ends when what it has is answered, or when this is over."""
_QUIET: Final = {"enable_access_log": False, "log_level": "WARNING"}
"""Ray Serve's own line a request costs a twentieth of it; our log has one."""
_CALLS_AT_EASE: Final = 2
_MOST_CALLS: Final = 32
_KEEPS_AT_ONCE: Final = 1_000
"""A call of the keeper waits for its commit and costs nothing meanwhile: what waits is what is committed together."""


def build(args: Mapping[str, Any]) -> Application:
    """The application of a configuration's `args`. Raises: ConfigError, LakeError, before anything is deployed."""
    from ray import serve

    from casper_ray.serve.deciding.replicas import KeeperReplica, ProposerReplica
    from casper_ray.serve.door.replica import DoorReplica

    settings = checked(ServeSettings, dict(args), "args")
    plain = settings.model_dump(mode="json")
    served = build_served(settings)
    keepers: dict[str, Application] = {}
    proposers: dict[str, Application] = {}
    for catalog, ours in catalogs_of(served).items():
        keeper = serve.deployment(name=f"Keeper-{catalog}", **keeper_options())(KeeperReplica)
        keepers[catalog] = keeper.bind(plain, catalog)
        for name in ours:
            options = proposer_options(settings.agents[name])
            proposer = serve.deployment(name=f"Proposer-{name}", **options)(ProposerReplica)
            proposers[name] = proposer.bind(plain, name, keepers[catalog])
    door = serve.deployment(name="Door", **door_options(settings.door))(serve.ingress()(DoorReplica))
    application: Application = door.bind(plain, proposers, keepers, _model(settings))
    return application


def door_options(settings: DoorSettings) -> dict[str, Any]:
    """at_once: a door waits, mostly, so it may have many requests open; Ray Serve adds doors at half of that."""
    return {
        **_replicas(settings.replicas, ongoing=settings.at_once / 2),
        **_HEALTH,
        **_DRAIN,
        "logging_config": _QUIET,
        "max_ongoing_requests": settings.at_once,
        "ray_actor_options": {"num_cpus": settings.cpus},
    }


def proposer_options(settings: AgentSettings) -> dict[str, Any]:
    """A call has up to `at_once` cases in it; proposers are added where more than two are open at each."""
    return {
        **_replicas(settings.replicas, ongoing=_CALLS_AT_EASE),
        **_HEALTH,
        **_DRAIN,
        "logging_config": _QUIET,
        "max_ongoing_requests": _MOST_CALLS,
        "ray_actor_options": {"num_cpus": settings.cpus},
    }


def keeper_options() -> dict[str, Any]:
    """One, always: it holds the leases of the catalog's agents."""
    return {
        "num_replicas": 1,
        **_HEALTH,
        **_DRAIN,
        "logging_config": _QUIET,
        "max_ongoing_requests": _KEEPS_AT_ONCE,
        "ray_actor_options": {"num_cpus": 0.2},
    }


def _replicas(bounds: tuple[int, int], ongoing: float) -> dict[str, Any]:
    fewest, most = bounds
    if fewest == most:
        return {"num_replicas": fewest}
    scaling = {"min_replicas": fewest, "max_replicas": most, "target_ongoing_requests": ongoing}
    return {"autoscaling_config": scaling}


def _model(settings: ServeSettings) -> Application | None:
    if settings.llm is None:
        return None
    from casper_ray.serve.llm.deployment import build_model

    return build_model(settings.llm)
