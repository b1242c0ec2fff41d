"""The world is one whole, however it is asked for."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from casper_ray.domain.bank import COLUMNS, CUSTOMER_CDC, FEEDS
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR
from casper_ray.errors import ConfigError
from casper_ray.sim.bank import engine
from casper_ray.sim.bank import world as world_module
from casper_ray.sim.bank.scenario import BankScenario, Wave
from casper_ray.sim.bank.world import BankWorld
from casper_ray.sim.cache import BoundedCache


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has made nothing yet, and keeps only the newest of everything."""
    for module, names in (
        (engine, ("_CARRIED", "_SETTLED", "_PEOPLE", "_BOOKS")),
        (world_module, ("_ENGINES", "_TIMELINES")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, BoundedCache(1, lambda _: 1))


@pytest.mark.parametrize("feed", FEEDS)
def test_events_are_the_same_by_windows_as_in_one_go(
    world: BankWorld, feeds: dict[str, pl.DataFrame], start_us: int, feed: str
) -> None:
    edges = [*np.arange(start_us, world.end_us(), 7 * US_PER_HOUR + 1_234_567).tolist(), world.end_us()]
    windows = [world.events(feed, a, b) for a, b in pairwise(edges)]
    assert_frame_equal(pl.concat(windows), feeds[feed])
    assert feeds[feed].columns == [*COLUMNS[feed], "ts_us"]
    assert feeds[feed]["ts_us"].is_sorted()
    order = feeds[feed].select("ts_us", "event_id")
    assert_frame_equal(order, order.sort("ts_us", "event_id"))


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("feed", FEEDS)
def test_events_do_not_depend_on_what_was_asked_before(
    scenario: BankScenario, feeds: dict[str, pl.DataFrame], start_us: int, feed: str
) -> None:
    afresh = pickle.loads(pickle.dumps(BankWorld.build(scenario, seed=11)))
    for day in (9, 3, 8):
        from_us, to_us = start_us + day * US_PER_DAY, start_us + (day + 1) * US_PER_DAY
        expected = feeds[feed].filter(pl.col("ts_us").is_between(from_us, to_us, closed="left"))
        assert expected.height
        assert_frame_equal(afresh.events(feed, from_us, to_us), expected)


def test_shards_make_their_intents_alone(world: BankWorld) -> None:
    cases = world.engine.cases.rows_on(5, world.engine.rates[5])
    alone = world.engine.intents(2, 5, cases)
    for shard in (1, 0):
        world.engine.intents(shard, 5, cases)
    assert (world.engine.intents(2, 5, cases) == alone).all()
    assert set(np.unique(alone["customer"] // 300)) == {2}


def test_another_seed_is_another_world(scenario: BankScenario, world: BankWorld, start_us: int) -> None:
    other = BankWorld.build(scenario, seed=12)
    assert other.digest() != world.digest()
    ids = [w.events("card", start_us, start_us + US_PER_DAY)["event_id"] for w in (world, other)]
    assert not set(ids[0]) & set(ids[1])


def test_the_specification_is_small(world: BankWorld) -> None:
    world.engine.rows(3)
    assert len(pickle.dumps(world)) < 2_000
    assert pickle.loads(pickle.dumps(world)) == world


def test_nothing_comes_before_the_start_or_after_the_end(
    world: BankWorld, start_us: int, feeds: dict[str, pl.DataFrame]
) -> None:
    for feed in FEEDS:
        assert world.events(feed, start_us - 5 * US_PER_DAY, start_us).height == 0
        after = world.events(feed, world.end_us(), world.end_us() + 9 * US_PER_DAY)
        assert after.height == 0
        assert after.schema == feeds[feed].schema


@pytest.mark.parametrize("feed", FEEDS)
def test_expected_events_are_about_right(
    world: BankWorld, feeds: dict[str, pl.DataFrame], start_us: int, feed: str
) -> None:
    expected = world.expected_events(start_us, world.end_us(), feed)
    assert expected == pytest.approx(feeds[feed].height, rel=0.12)
    halves = (start_us, start_us + 10 * US_PER_DAY + 5 * US_PER_HOUR, world.end_us())
    parts = sum(world.expected_events(a, b, feed) for a, b in pairwise(halves))
    assert parts == pytest.approx(expected)


def test_what_cannot_be_is_refused(scenario: BankScenario, world: BankWorld) -> None:
    with pytest.raises(ConfigError, match="days"):
        BankWorld.build(scenario, seed=1, days=0)
    wave = Wave(typology="piracy", days=(0, 3), cases=1)
    with pytest.raises(ConfigError, match="piracy"):
        BankWorld.build(scenario.model_copy(update={"waves": (wave,)}), seed=1)
    with pytest.raises(ConfigError, match="feeds are card"):
        world.events("loans", 0, 1)


def test_a_shorter_world_begins_alike_in_all_but_its_cases(scenario: BankScenario, start_us: int) -> None:
    worlds = [
        BankWorld.build(scenario.model_copy(update={"prevalence": 0.0}), seed=3, days=days) for days in (5, 9)
    ]
    for feed in set(FEEDS) - {CUSTOMER_CDC}:
        short, long = (w.events(feed, start_us, start_us + 5 * US_PER_DAY) for w in worlds)
        assert_frame_equal(short, long)
