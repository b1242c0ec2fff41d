"""Children that share one Ray, children that start their own, and lakes that several tests look at."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray
from children import SIM, Children, Ended
from lakes import MIDNIGHT, TEN, Lake


@pytest.fixture(scope="session")
def children(local_ray: None) -> Children:
    """Commands that join the session's Ray, which is much quicker than to start one each."""
    return Children(ray_address=ray.get_runtime_context().gcs_address)


@pytest.fixture(scope="session")
def lone_children() -> Children:
    """Commands that start a Ray of their own, as on a user's machine."""
    return Children(ray_address=None)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Lake], Lake]:
    """A lake of the test's own, with all that another one holds."""

    def copy(lake: Lake) -> Lake:
        shutil.copytree(lake.folder, tmp_path / "copy")
        return Lake(tmp_path / "copy", lake.catalog)

    return copy


@pytest.fixture(scope="session")
def three_days_run(children: Children, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, Ended]:
    """A lake after one uninterrupted run over days 0 to 2, and what that run said. Not to be changed."""
    lake = Lake(tmp_path_factory.mktemp("three_days") / "lake")
    when = ("--speed", "max", "--from", MIDNIGHT, "--until-day", "3")
    return lake, children.run(*SIM, *lake.options, *when, "--json")


@pytest.fixture(scope="session")
def three_days(three_days_run: tuple[Lake, Ended]) -> Lake:
    lake, ended = three_days_run
    assert ended.code == 0, ended.err
    return lake


@pytest.fixture(scope="session")
def from_ten(children: Children, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake after one uninterrupted run from 10:00 on day 0 to the end of day 2. Not to be changed."""
    lake = Lake(tmp_path_factory.mktemp("from_ten") / "lake")
    ended = children.run(*SIM, *lake.options, "--speed", "max", "--from", TEN, "--until-day", "3", "--json")
    assert ended.code == 0, ended.err
    return lake


@pytest.fixture
def foreign_orders(
    event_line: Callable[..., bytes], basket_item: Callable[..., dict[str, Any]]
) -> Callable[[int], bytes]:
    """Makes lines of orders that no world told of, created at 10:05 on day 0."""

    def lines(count: int) -> bytes:
        items = [basket_item(1, 10, 2.5, 2), basket_item(2, 20, 1.25)]
        names = [f"MINE{number}" for number in range(count)]
        at = "2024-01-01 10:05:00.000"
        return b"".join(event_line(items=items, event_id=f"mine-{n}", order_id=n, ts=at) for n in names)

    return lines
