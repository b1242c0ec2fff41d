"""One lake of twelve batches for all that only read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import ray
from children import Children
from growing_lake import WINDOWS, GrowingLake


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> GrowingLake:
    """Twelve batches, nothing decided. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "is_initialized", lambda: False)
        return GrowingLake.grown(tmp_path_factory.mktemp("grown") / "lake", range(WINDOWS))


@pytest.fixture(scope="session")
def decided(grown: GrowingLake, tmp_path_factory: pytest.TempPathFactory) -> GrowingLake:
    """The same, all decided in one micro-batch. Not to be changed."""
    lake = grown.copy(tmp_path_factory.mktemp("decided") / "lake")
    assert lake.runner().step()
    return lake


@pytest.fixture
def lake(grown: GrowingLake, tmp_path: Path) -> GrowingLake:
    """A copy of the lake that nothing was decided in, for the test alone."""
    return grown.copy(tmp_path / "lake")


@pytest.fixture(scope="session")
def commands() -> Callable[..., tuple[str, ...]]:
    """A command line of `casper`, by the package under test rather than by what is installed."""
    import sys

    def command(*arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-c", "from casper_ray.cli import main; main()", *arguments)

    return command


@pytest.fixture(scope="session")
def agents_children() -> Children:
    """Commands that need no Ray."""
    return Children(ray_address=None)
