"""What tests of the served application share: a small kitchen lake, and the door in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from growing_lake import GrowingLake

from casper_ray.serve.settings import ServeSettings
from casper_ray.serve.testing import LocalServices, local_services

BATCHES = 5


@pytest.fixture(autouse=True)
def _pipelines_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test may have started the session's Ray before; it is for those that are marked."""
    if request.node.get_closest_marker("ray") is None:
        monkeypatch.setattr(ray, "is_initialized", lambda: False)


@pytest.fixture(scope="session")
def served_lake(tmp_path_factory: pytest.TempPathFactory) -> GrowingLake:
    """Five batches of the kitchen, nothing decided. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "is_initialized", lambda: False)
        return GrowingLake.grown(tmp_path_factory.mktemp("served") / "lake", range(BATCHES))


@pytest.fixture(scope="session")
def next_window() -> int:
    """The number of the window that the lake does not have yet."""
    return BATCHES


@pytest.fixture
def lake(served_lake: GrowingLake, tmp_path: Path) -> GrowingLake:
    """A copy of it, for the test alone."""
    return served_lake.copy(tmp_path / "lake")


@pytest.fixture
def serve_settings(lake: GrowingLake) -> ServeSettings:
    """The refund agent over the test's lake."""
    return ServeSettings.model_validate({"lake": str(lake.catalog.lake), "agents": {"refund": {}}})


@pytest.fixture
def services(serve_settings: ServeSettings) -> Iterator[LocalServices]:
    """The door's services in this process."""
    made = local_services(serve_settings)
    yield made
    made.close()
