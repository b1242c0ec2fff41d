"""A door's replica: the HTTP application over handles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from casper_ray.config_files import checked
from casper_ray.serve.access.access import build_access
from casper_ray.serve.deciding.deciding import ServedDeciding
from casper_ray.serve.deciding.handles import HandleKeeper, HandleProposer
from casper_ray.serve.deciding.kept_events import KeptEvents
from casper_ray.serve.deciding.served import build_served
from casper_ray.serve.door.app import build_app
from casper_ray.serve.door.services import Model, Services
from casper_ray.serve.operations.metrics import Snapshot
from casper_ray.serve.operations.replica import Operated
from casper_ray.serve.operations.scrape import AskedNumbers
from casper_ray.serve.settings import ServeSettings


class DoorReplica:
    """One door. It keeps nothing but events of refusals, for less than a second."""

    def __init__(
        self,
        args: Mapping[str, Any],
        proposers: Mapping[str, Any],
        keepers: Mapping[str, Any],
        model: Any | None,
    ) -> None:
        settings = checked(ServeSettings, dict(args), "args")
        self._operated = Operated(settings, "door")
        served = build_served(settings)
        to_keepers = {name: HandleKeeper(handle) for name, handle in keepers.items()}
        to_proposers = {name: HandleProposer(handle) for name, handle in proposers.items()}
        self._services = Services(
            settings=settings,
            access=build_access(settings),
            deciding=ServedDeciding(settings, served, to_proposers, to_keepers),
            audit=KeptEvents(served, to_keepers),
            model=_model(settings, model),
            numbers=AskedNumbers(_parts(proposers, keepers)),
        )

    def __serve_build_asgi_app__(self) -> ASGIApp:
        return build_app(self._services, id_is_echoed=True)

    async def numbers(self) -> Snapshot:
        """What this door counted."""
        return self._operated.numbers()


def _parts(proposers: Mapping[str, Any], keepers: Mapping[str, Any]) -> dict[str, Any]:
    """Handles of everything that counts, the doors' own among them."""
    from ray import serve

    here = serve.get_replica_context()
    return {
        "door": serve.get_deployment_handle(here.deployment, here.app_name),
        **{f"proposer:{name}": handle for name, handle in proposers.items()},
        **{f"keeper:{name}": handle for name, handle in keepers.items()},
    }


def _model(settings: ServeSettings, handle: Any | None) -> Model | None:
    if settings.llm is None or handle is None:
        return None
    from casper_ray.serve.llm.model import HandleModel
    from casper_ray.serve.operations.watched_model import WatchedModel

    return WatchedModel(
        HandleModel(settings.llm.name, handle, tuple(settings.llm.adapters), device=settings.llm.device)
    )
