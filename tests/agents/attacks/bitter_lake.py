"""A kitchen's lake of hand-made lines: orders whose items are named after attacks, and a mark in each of its own."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from casper_ray.domain.time import sim_micros
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.medallion.runner import Runner
from casper_ray.sim.window import Part, Window, file_name

PIPELINE = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


class Made(NamedTuple):
    """An order to be: minutes from noon."""

    order_id: str
    created: float
    delivered: float


def orders(count: int, *, every: float = 1.0) -> list[Made]:
    """Orders in the order of their deliveries; some are late."""
    chance = random.Random(7)
    made = [
        Made(f"K{n:05d}", n * every, n * every + round(chance.gauss(30, 5) + 20 * (chance.random() < 0.1), 1))
        for n in range(count)
    ]
    return sorted(made, key=lambda order: (order.delivered, order.order_id))


def event(
    kind: str, order_id: str, minutes: float, *, name: str = "", body: Any = None, location: int = 1
) -> bytes:
    """One line. name: of the event, where an order has several of the kind."""
    line = {
        "event_id": f"{order_id}-{kind}{name}",
        "event_type": kind,
        "ts": f"{NOON + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}.000",
        "location_id": location,
        "order_id": order_id,
        "sequence": 0,
        "body": json.dumps(body or {}),
    }
    return json.dumps(line).encode() + b"\n"


def basket(number: int, name: str, address: str) -> dict[str, Any]:
    """Two items, the second of a name that no other order has."""
    ids = {"menu_id": 10, "category_id": 7, "brand_id": 10, "qty": 1}
    items = [
        {**ids, "id": 1, "name": name, "price": 5.0 + number % 13},
        {**ids, "id": 2, "name": f"marker-{number:05d}", "price": round(1 + number % 100 / 100, 2)},
    ]
    return {"customer_addr": address, "items": items}


def lines(made: Sequence[Made], names: Mapping[str, str]) -> bytes:
    """Creations and deliveries; names: of an order's first item."""
    told = []
    for order in made:
        number = int(order.order_id[1:])
        body = basket(number, names.get(order.order_id, "Soup"), f"{number} Quay St")
        told.append(event("order_created", order.order_id, order.created, body=body))
        told.append(event("delivered", order.order_id, order.delivered))
    return b"".join(told)


def drop(
    catalog: Catalog,
    replay: str,
    number: int,
    minutes: tuple[float, float],
    data: bytes,
    feed: str = "events",
) -> None:
    """The file of a window, in minutes from noon: what it holds is known from the window's start at the earliest."""
    bounds = [sim_micros(NOON + timedelta(minutes=m)) for m in minutes]
    window = Window(number, *bounds)
    volume = catalog.volume("simulator", feed)
    volume.mkdir(parents=True, exist_ok=True)
    (volume / file_name(replay, Part(window, 0, *bounds))).write_bytes(data)


def run(catalog: Catalog, pipeline: str = PIPELINE) -> None:
    for _ in Runner(pipeline, catalog).run_available():
        pass


def lake(folder: Path) -> Catalog:
    return open_catalog(str(folder), "caspers")
