"""A door over a lake without agents, with a key for each role; in this process, or behind a socket."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from casper_ray.serve.access.access import build_access
from casper_ray.serve.access.key_file import keys_path
from casper_ray.serve.access.key_store import KeyStore
from casper_ray.serve.access.principal import Role
from casper_ray.serve.audit import AuditEvent
from casper_ray.serve.door.app import build_app
from casper_ray.serve.settings import ServeSettings
from casper_ray.serve.testing import local_services


@dataclass
class Noted:
    """`door.services.Audit` that keeps events in a list."""

    kept: list[AuditEvent] = field(default_factory=list)

    def note(self, event: AuditEvent) -> None:
        self.kept.append(event)

    async def events(self, newest: int) -> Sequence[AuditEvent]:
        return self.kept[: -newest - 1 : -1]


@dataclass(frozen=True)
class OpenDoor:
    """keys: by role. noted: what was audited."""

    app: Any
    store: KeyStore
    keys: dict[Role, str]
    noted: Noted

    @classmethod
    def over(cls, folder: Path, **settings: Any) -> OpenDoor:
        """A door whose lake is in `folder`."""
        checked = ServeSettings.model_validate({"lake": str(folder / "lake"), **settings})
        store, noted = KeyStore(keys_path(checked)), Noted()
        keys = {role: store.add(f"of {role}", role).text for role in Role}
        services = replace(local_services(checked, access=build_access(checked)), audit=noted)
        return cls(build_app(services), store, keys, noted)

    def headers(self, role: Role | None) -> dict[str, str]:
        return {} if role is None else {"Authorization": f"Bearer {self.keys[role]}"}

    @asynccontextmanager
    async def client(self, role: Role | None = Role.ADMIN) -> AsyncIterator[httpx2.AsyncClient]:
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://door", headers=self.headers(role)
        ) as client:
            yield client

    def ask(self, method: str, path: str, role: Role | None = Role.ADMIN, **request: Any) -> httpx2.Response:
        """One answer."""

        async def asked() -> httpx2.Response:
            async with self.client(role) as client:
                return await client.request(method, path, **request)

        return asyncio.run(asked())

    @contextmanager
    def served(self) -> Iterator[int]:
        """The port of 127.0.0.1 where the door answers meanwhile."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            config = uvicorn.Config(self.app, log_level="critical", lifespan="off", server_header=False)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
            thread.start()
            try:
                while not server.started:
                    threading.Event().wait(0.01)
                yield listening.getsockname()[1]
            finally:
                server.should_exit = True
                thread.join()
