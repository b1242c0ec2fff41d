"""The door in this process: real proposers and keepers, real tables, no Ray, no sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from casper_ray.serve.access.principal import Principal, Role
from casper_ray.serve.deciding.deciding import ServedDeciding
from casper_ray.serve.deciding.keeper import Keeper
from casper_ray.serve.deciding.kept_events import KeptEvents
from casper_ray.serve.deciding.proposer import Proposer
from casper_ray.serve.deciding.served import build_served, catalogs_of
from casper_ray.serve.door.app import build_app
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Access, Model, Services
from casper_ray.serve.settings import ServeSettings

if TYPE_CHECKING:
    import httpx2

KEYS: Final[Mapping[str, Role]] = {f"key-of-{role}": role for role in Role}
"""Bearer texts that `KnownKeys` knows by itself: one a role."""


@dataclass(frozen=True)
class KnownKeys:
    """`door.services.Access` for tests: bearer texts that stand for principals."""

    principals: Mapping[str, Principal] = field(
        default_factory=lambda: {
            text: Principal(id=f"test-{role}", role=role, by="key") for text, role in KEYS.items()
        }
    )

    async def principal(self, authorization: str | None) -> Principal:
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or text not in self.principals:
            raise DoorError(401, "a key is asked for", "Authorization: Bearer KEY")
        return self.principals[text]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServices(Services):
    """Services whose parts are here, to be looked at and closed."""

    keepers: Mapping[str, Keeper]
    proposers: Mapping[str, Proposer]
    kept_events: KeptEvents

    def close(self) -> None:
        """Give the leases back. Nothing more can be decided."""
        for proposer in self.proposers.values():
            proposer.close()
        for keeper in self.keepers.values():
            keeper.close()


def local_services(
    settings: ServeSettings, *, access: Access | None = None, model: Model | None = None
) -> LocalServices:
    """Everything that the served application does, in this process. access: None: `KnownKeys`."""
    served = build_served(settings)
    by_catalog = catalogs_of(served)
    keepers = {name: Keeper(next(iter(ours.values())).catalog, ours) for name, ours in by_catalog.items()}
    proposers = {name: Proposer(each, keepers[each.catalog.name]) for name, each in served.items()}
    kept_events = KeptEvents(served, keepers)
    return LocalServices(
        settings=settings,
        access=access or KnownKeys(),
        deciding=ServedDeciding(settings, served, proposers, keepers),
        audit=kept_events,
        model=model,
        keepers=keepers,
        proposers=proposers,
        kept_events=kept_events,
    )


@asynccontextmanager
async def door_client(
    services: Services, role: Role | None = Role.ADMIN
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the door over `services`, with the key of a role. None: without a key."""
    import httpx2

    headers = {} if role is None else {"Authorization": f"Bearer key-of-{role}"}
    transport = httpx2.ASGITransport(app=build_app(services), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://door", headers=headers) as client:
        yield client
