"""A small kitchen behind a door that really listens, in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from kitchen_lake import created, delivered, drop_window
from small_lake import SmallLake

from casper_ray.lakehouse.names import Catalog
from casper_ray.serve.door.app import build_app
from casper_ray.serve.door.services import Model, Services
from casper_ray.serve.settings import AgentSettings, ServeSettings
from casper_ray.serve.testing import LocalServices, local_services

ORDERS = (*(f"AAA{number:03}" for number in range(60)), "XP0YMM")
"""Delivered, one after another; the last is that of the document's examples. `AAB000` is not delivered yet."""


def kitchen_of_orders(folder: Path) -> Catalog:
    """A lake with `ORDERS` in one batch."""
    lake = SmallLake.at(folder)
    lines = [
        line
        for number, order in enumerate(ORDERS)
        for line in (created(order, number / 4), delivered(order, number / 4 + 25 + number % 20))
    ]
    drop_window(lake, 0, [*lines, created("AAB000", 30)])
    return lake.catalog


def services_over(catalog: Catalog, *, model: Model | None = None) -> LocalServices:
    """Services that serve the refund agent over a catalog. To be closed."""
    settings = ServeSettings(
        lake=str(catalog.lake), catalogs={"kitchen": catalog.name}, agents={"refund": AgentSettings()}
    )
    return local_services(settings, model=model)


@contextmanager
def listening(services: Services) -> Iterator[str]:
    """The door's address, until the block ends."""
    config = uvicorn.Config(build_app(services), host="127.0.0.1", port=0, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the door did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
