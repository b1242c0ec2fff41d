"""Lakes of a small bank, and an environment that names no keys."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from replayed_bank import REPLAYED, ReplayedBank

from casper_ray.lakehouse.names import Catalog


@pytest.fixture(scope="session")
def four_days(tmp_path_factory: pytest.TempPathFactory) -> ReplayedBank:
    """Days 0 to 3 of six, a batch a day. Not to be changed."""
    return ReplayedBank.at(tmp_path_factory.mktemp("four_days") / "lake").replay(range(REPLAYED))


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[ReplayedBank], ReplayedBank]:
    """A lake of the test's own, with all that another one holds."""

    def copy(bank: ReplayedBank) -> ReplayedBank:
        shutil.copytree(bank.catalog.lake, tmp_path / "copy")
        return ReplayedBank(Catalog(tmp_path / "copy", bank.catalog.name), bank.world)

    return copy
