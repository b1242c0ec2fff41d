"""What tests share: lines of events, a catalog in a temporary lake, and one Ray for all that need it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from small_bank import SmallBank
from told_bank import fill, small_world

from casper_ray.cluster import start_ray, stop_ray
from casper_ray.config import Environment
from casper_ray.lakehouse.names import Catalog, open_catalog

settings.register_profile("casper", deadline=None, print_blob=True)
settings.load_profile("casper")

EventLine = Callable[..., bytes]
TOKEN_KEYS = ("CASPER_TOKEN_KEYS", "CASPER_TOKEN_KEYS_FILE")


@pytest.fixture(autouse=True)
def _keys_of_the_lake(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment of whoever runs the tests has for keys is not a test's."""
    for name in TOKEN_KEYS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def event_line() -> EventLine:
    """Makes one line of an event file; items: those of an `order_created`."""

    def line(number: int = 0, *, items: list[dict[str, Any]] | None = None, **fields: Any) -> bytes:
        event = {
            "event_id": f"e{number}",
            "event_type": "gk_started" if items is None else "order_created",
            "ts": "2024-01-01 12:00:00.000",
            "location_id": 1,
            "order_id": f"O{number}",
            "sequence": 0,
            "body": "{}" if items is None else json.dumps({"items": items}),
        }
        return json.dumps({**event, **fields}).encode() + b"\n"

    return line


@pytest.fixture(scope="session")
def basket_item() -> Callable[..., dict[str, Any]]:
    """Makes one item of an order's body."""

    def item(item_id: int = 1, brand_id: int = 1, price: float = 2.5, qty: int = 1) -> dict[str, Any]:
        ids = {"id": item_id, "menu_id": brand_id, "category_id": 10 + brand_id, "brand_id": brand_id}
        return {**ids, "name": f"Item {item_id}", "price": price, "qty": qty}

    return item


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return open_catalog(str(tmp_path / "lake"), "caspers")


@pytest.fixture(scope="session")
def bank_lake(tmp_path_factory: pytest.TempPathFactory) -> SmallBank:
    """Six days of a bank with 120 customers, two batches a day. For reading."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ray.is_initialized", lambda: False)
        for name in TOKEN_KEYS:
            patch.delenv(name, raising=False)
        return fill(tmp_path_factory.mktemp("bank"), small_world())


@pytest.fixture(scope="session")
def local_ray() -> Iterator[None]:
    """This machine's Ray, started once for the session. Tests that use it are marked `ray`."""
    start_ray(Environment(ray_address=None, cpus=4))
    yield
    stop_ray()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that use this process's Ray come last: once it is up, a pipeline in this process would run on it, and its
    workers know no module of a test's own.
    """
    items.sort(key=lambda item: "local_ray" in getattr(item, "fixturenames", ()))
