"""A small bank of several shards, with crimes enough to be seen, made once a session."""

from __future__ import annotations

import polars as pl
import pytest

from casper_ray.domain.bank import FEEDS
from casper_ray.domain.time import US_PER_DAY
from casper_ray.sim.bank.rows import Rows, together
from casper_ray.sim.bank.scenario import BankScenario
from casper_ray.sim.bank.world import BankWorld

DAYS = 40


@pytest.fixture(scope="session")
def scenario() -> BankScenario:
    return BankScenario(name="small", customers=900, shard_customers=300, days=DAYS, prevalence=0.01)


@pytest.fixture(scope="session")
def world(scenario: BankScenario) -> BankWorld:
    return BankWorld.build(scenario, seed=11)


@pytest.fixture(scope="session")
def start_us(world: BankWorld) -> int:
    return int(world.epoch.timestamp()) * 1_000_000


@pytest.fixture(scope="session")
def feeds(world: BankWorld, start_us: int) -> dict[str, pl.DataFrame]:
    """All events of each feed, asked for in one go."""
    return {feed: world.events(feed, start_us, world.end_us()) for feed in FEEDS}


@pytest.fixture(scope="session")
def rows(world: BankWorld) -> Rows:
    """All that happened, as numbers."""
    return together([world.engine.rows(day) for day in range(world.days)])


@pytest.fixture(scope="session")
def noon_of_20(start_us: int) -> int:
    return start_us + 20 * US_PER_DAY + US_PER_DAY // 2
