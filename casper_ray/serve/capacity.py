"""Whether a cluster has what an application's deployments ask for, before they wait for it without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from casper_ray.errors import UserError

if TYPE_CHECKING:
    from ray.serve import Application

_COUNTED: Final = ("CPU", "GPU")
_SLACK: Final = 1e-6


class Ask(NamedTuple):
    """What the fewest replicas of one deployment ask for; each: of one replica, by resource."""

    deployment: str
    replicas: int
    each: Mapping[str, float]


def asks_of(application: Application) -> list[Ask]:
    """Of every deployment. Needs Ray: handles between deployments are made."""
    from ray.serve._private.build_app import build_app

    return [
        Ask(one.name, _fewest(one), _resources(one))
        for one in build_app(application, name="casper").deployments
    ]


def check_capacity(asks: Iterable[Ask], there: Mapping[str, float]) -> None:
    """Raises: UserError, naming the deployments with what each asks, where there is less of something in all."""
    asks = list(asks)
    total: Counter[str] = Counter()
    for ask in asks:
        for name, amount in ask.each.items():
            total[name] += ask.replicas * amount  # type: ignore[assignment]  # a Counter of floats
    for name, amount in total.items():
        if amount > there.get(name, 0.0) + _SLACK:
            raise _too_little(name, amount, there.get(name, 0.0), asks)


def _too_little(name: str, asked: float, there: float, asks: Iterable[Ask]) -> UserError:
    parts = [
        f"{ask.deployment} {ask.replicas} × {ask.each[name]:g}" for ask in asks if ask.each.get(name, 0.0) > 0
    ]
    hint = "ask for less in the target's file, join a larger cluster with RAY_ADDRESS"
    own = ", or set CASPER_CPUS: logical ones, which may be more than there are" if name == "CPU" else ""
    return UserError(
        f"{name}s: {asked:g} are asked for and {there:g} are there ({', '.join(parts)})", hint + own
    )


def _fewest(deployment: object) -> int:
    config = deployment._deployment_config  # type: ignore[attr-defined]
    scaling = config.autoscaling_config
    fewest = (scaling.initial_replicas or scaling.min_replicas) if scaling else config.num_replicas
    return int(fewest or 0)


def _resources(deployment: object) -> dict[str, float]:
    """Of one replica: its placement group's bundles where it has one, else its actor's own."""
    config = deployment._replica_config  # type: ignore[attr-defined]
    bundles = config.placement_group_bundles or [config.resource_dict]
    return {name: sum(float(one.get(name, 0.0)) for one in bundles) for name in _COUNTED}
