"""What tests of agents share: two days of the kitchen, made once a session by the real pipeline."""

from __future__ import annotations

import pytest
import ray
from kitchen_lake import lake_of_days

from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.lakehouse.names import Catalog


@pytest.fixture(autouse=True)
def _blocks_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test may have started the session's Ray before; it is for those that are marked."""
    if request.node.get_closest_marker("ray") is None:
        monkeypatch.setattr(ray, "is_initialized", lambda: False)


@pytest.fixture(scope="session")
def kitchen_lake(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The catalog of two days of the baseline world, a batch every six hours. For reading."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "is_initialized", lambda: False)
        return lake_of_days(tmp_path_factory.mktemp("kitchen")).catalog


@pytest.fixture(scope="session")
def kitchen_store(kitchen_lake: Catalog) -> KitchenStore:
    return KitchenStore(kitchen_lake)
