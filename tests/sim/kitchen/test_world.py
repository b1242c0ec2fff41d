"""Windows, loops and processes: the same bytes however they are asked for."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
import zlib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR
from casper_ray.errors import ConfigError
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.landing import render_lines
from casper_ray.sim.scenario import Scenario, load_scenario

BASELINE = load_scenario("baseline")
SMALL = KitchenWorld.build(BASELINE, seed=7, days=3, loop=True)
ONCE = KitchenWorld.build(BASELINE, seed=7, days=3)
START = 1_704_067_200_000_000
SPAN_MS = 5 * US_PER_DAY // 1000
WHOLE = SMALL.events(EVENTS, START, START + SPAN_MS * 1000)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, SPAN_MS), min_size=1, max_size=8))
def test_any_split_of_an_interval_gives_the_same_rows(cuts: list[int]) -> None:
    edges = [START + 1000 * cut for cut in sorted({0, SPAN_MS, *cuts})]
    pieces = [SMALL.events(EVENTS, a, b) for a, b in pairwise(edges)]
    assert_frame_equal(pl.concat(pieces), WHOLE)


def test_rows_are_sorted_by_time_order_and_sequence() -> None:
    assert_frame_equal(WHOLE, WHOLE.sort("ts_us", "order_id", "sequence"))
    assert (
        WHOLE["ts"].to_list()
        == WHOLE["ts_us"].cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d %H:%M:%S%.3f").to_list()
    )


def test_locations_together_are_the_locations_apart() -> None:
    apart = [SMALL.events(EVENTS, START, START + US_PER_DAY, [i]) for i in SMALL.location_ids]
    together = pl.concat(apart).sort("ts_us", "order_id", "sequence")
    assert_frame_equal(together, SMALL.events(EVENTS, START, START + US_PER_DAY))


def test_a_window_before_the_data_and_an_unknown_location() -> None:
    assert SMALL.events(EVENTS, START - US_PER_DAY, START).is_empty()
    assert SMALL.events(EVENTS, START + 1000, START + 1000).is_empty()
    with pytest.raises(ConfigError, match=r"unknown locations \[9\].*known are"):
        SMALL.events(EVENTS, START, START + 1, [9])


def test_loops_repeat_the_dataset_under_other_ids() -> None:
    loop_us = 3 * US_PER_DAY
    first = SMALL.events(EVENTS, START, START + 2 * US_PER_DAY)
    again = SMALL.events(EVENTS, START + loop_us, START + loop_us + 2 * US_PER_DAY)
    again = again.filter(pl.col("order_id").str.ends_with("-L1"))
    same = again.with_columns(order_id=pl.col("order_id").str.head(6), ts_us=pl.col("ts_us") - loop_us).sort(
        "ts_us", "order_id", "sequence"
    )
    assert_frame_equal(same.drop("event_id", "ts"), first.drop("event_id", "ts"))
    assert not set(again["event_id"]) & set(first["event_id"])


def test_without_a_loop_nothing_is_created_past_the_last_day() -> None:
    end = ONCE.end_us()
    last = ONCE.events(EVENTS, START + 3 * US_PER_DAY, end)
    assert last["event_type"].to_list()[-1] == "delivered"
    assert not last["order_id"].str.contains("-L").any()
    assert ONCE.events(EVENTS, end, end + US_PER_DAY).is_empty()
    assert SMALL.end_us() > end
    assert SMALL.digest() == ONCE.digest()


def test_another_process_tells_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "world").write_bytes(pickle.dumps(SMALL))
    script = (
        "import pickle, sys, zlib; from pathlib import Path;"
        "from casper_ray.sim.landing import render_lines;"
        "from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS;"
        "w = pickle.loads(Path(sys.argv[1]).read_bytes());"
        f"day = w.events(EVENTS, {START + US_PER_DAY}, {START + 2 * US_PER_DAY});"
        "print(zlib.crc32(render_lines(day, EVENT_COLUMNS)))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "world")]
    env = {**os.environ, "POLARS_MAX_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout
    here = render_lines(SMALL.events(EVENTS, START + US_PER_DAY, START + 2 * US_PER_DAY), EVENT_COLUMNS)
    assert int(told) == zlib.crc32(here)


def test_the_length_of_the_dataset_moves_none_of_its_days() -> None:
    longer = KitchenWorld.build(BASELINE, seed=7, days=30)
    window = (START + US_PER_DAY, START + 2 * US_PER_DAY)
    assert_frame_equal(longer.events(EVENTS, *window), SMALL.events(EVENTS, *window))


def test_seeds_and_worlds_differ_by_digest() -> None:
    other = KitchenWorld.build(BASELINE, seed=8, days=3)
    assert other.digest() != SMALL.digest()
    assert KitchenWorld.build(BASELINE, seed=7, days=3).digest() == SMALL.digest()
    assert set(other.events(EVENTS, START, START + US_PER_HOUR)["event_id"]).isdisjoint(WHOLE["event_id"])


def test_weekdays_follow_the_epoch() -> None:
    saturday = KitchenWorld.build(BASELINE, 42, 1, epoch=datetime(2024, 1, 6, tzinfo=UTC))
    start = START + 5 * US_PER_DAY
    monday = KitchenWorld.build(BASELINE, 42, 1)
    more = saturday.expected_orders(start, start + US_PER_DAY)
    usual = monday.expected_orders(START, START + US_PER_DAY)
    assert more == pytest.approx(1.35 * (usual - 50) + 50, rel=1e-6)


def test_expected_orders_add_up_over_windows_and_loops() -> None:
    parts = [
        SMALL.expected_orders(START + h * US_PER_HOUR, START + (h + 1) * US_PER_HOUR) for h in range(120)
    ]
    assert sum(parts) == pytest.approx(SMALL.expected_orders(START, START + 120 * US_PER_HOUR))


def test_building_is_quick_and_the_specification_small() -> None:
    start = time.perf_counter()
    world = KitchenWorld.build(BASELINE, seed=1)
    assert time.perf_counter() - start < 0.5
    assert len(pickle.dumps(world)) < 50_000


def test_more_orders_than_a_day_has_ids_for_are_refused() -> None:
    crowd = Scenario.model_validate({"name": "crowd", "replicas": {"locations": 1, "base_orders": 4000}})
    with pytest.raises(ConfigError, match="a location takes 4096 a day"):
        KitchenWorld.build(crowd, seed=1)


def test_more_days_and_locations_than_can_be_named_are_refused() -> None:
    many = Scenario.model_validate({"name": "many", "replicas": {"locations": 800, "daily_growth": 0}})
    assert len(KitchenWorld.build(many, seed=1, days=200).locations) == 800
    with pytest.raises(ConfigError, match=r"800 locations x 730 days.*531441 slots"):
        KitchenWorld.build(many, seed=1, days=730)
