"""What is told is faulty in the ways that were asked for, whatever the windows; nothing is left untold."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from casper_ray.domain.kitchen import EVENTS
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR, sim_micros
from casper_ray.errors import ConfigError
from casper_ray.main_job.domains.kitchen import FEEDS
from casper_ray.sim.faults.files import complete_files
from casper_ray.sim.faults.spec import KINDS, Faults
from casper_ray.sim.faults.told import ToldWorld
from casper_ray.sim.kitchen.world import KitchenWorld
from casper_ray.sim.lander import FileFaults, prepared_part
from casper_ray.sim.scenario import load_scenario, scenario_names
from casper_ray.sim.window import Window, file_name, parts

DAYS = 2


@cache
def world() -> KitchenWorld:
    return KitchenWorld.build(load_scenario("baseline"), 42, DAYS)


@cache
def start_us() -> int:
    return sim_micros(world().epoch)


@cache
def truth() -> pl.DataFrame:
    return world().events(EVENTS, start_us(), world().end_us())


def told_of(**faults: Any) -> ToldWorld:
    return ToldWorld(world(), FEEDS, Faults(**faults))


def told(source: ToldWorld, hours: int = 24 * (DAYS + 20)) -> pl.DataFrame:
    """All that is told, in windows of so many hours."""
    edges = [*range(start_us(), source.end_us(), hours * US_PER_HOUR), source.end_us()]
    return pl.concat([source.events(EVENTS, first, last) for first, last in pairwise(edges)])


def lines_of(source: ToldWorld, hours: int) -> Counter[bytes]:
    edges = [*range(start_us(), source.end_us(), hours * US_PER_HOUR), source.end_us()]
    windows = [source.events(EVENTS, first, last) for first, last in pairwise(edges)]
    return Counter(line for events in windows for line in source.lines(EVENTS, events).split(b"\n") if line)


EVERY = {
    "duplicates": {"rate": 0.2, "minutes": 30},
    "late": {"rate": 0.1, "minutes": [10, 300]},
    "shuffled": {"minutes": 5},
    "clock_skew": {"max_hours": 1},
    "malformed": {"rate": 0.05, "kinds": [kind for kind in KINDS if kind != "huge"]},
    "drift": {"from_day": 1, "rate": 0.1, "changes": [{"add": {"channel": "app"}}, {"drop": "sequence"}]},
}


def test_without_faults_the_world_is_told_as_it_is() -> None:
    source = ToldWorld(world(), FEEDS)
    assert source.events(EVENTS, start_us(), world().end_us()).equals(truth())
    assert source.end_us() == world().end_us()


def test_a_scenario_without_faults_is_the_world_that_it_was() -> None:
    assert "faults" not in load_scenario("baseline").model_dump_json(exclude_none=True)
    assert load_scenario("baseline").digest() != load_scenario("baseline+late").digest()
    assert len({load_scenario(name).digest() for name in scenario_names()}) == len(scenario_names())


@pytest.mark.parametrize("hours", [5, 24])
def test_what_is_told_does_not_depend_on_the_windows(hours: int) -> None:
    assert lines_of(told_of(**EVERY), hours) == lines_of(told_of(**EVERY), 24 * 30)


def test_duplicates_are_told_again_and_no_more_than_asked_for() -> None:
    found = told(told_of(duplicates={"rate": 0.2, "minutes": 30}))
    count = found.group_by("event_id").len()
    assert set(found["event_id"]) == set(truth()["event_id"])
    assert set(count["len"]) == {1, 2}
    assert (count["len"] == 2).mean() == pytest.approx(0.2, abs=0.02)
    same = found.drop("ts_us").unique()
    assert same.height == truth().height, "a copy says what the first one said"


def test_late_events_are_told_within_the_time_asked_for_and_the_others_at_once() -> None:
    found = told(told_of(late={"rate": 0.1, "minutes": [10, 300]}))
    late = found.join(truth().select("event_id", was="ts_us"), on="event_id")
    minutes = ((late["ts_us"] - late["was"]) / 60_000_000).to_list()
    assert len(minutes) == truth().height
    assert all(delay == 0 or 10 - 1e-3 <= delay <= 300 for delay in minutes)
    assert sum(delay > 0 for delay in minutes) / len(minutes) == pytest.approx(0.1, abs=0.02)


def test_shuffled_events_are_in_no_order_and_all_there() -> None:
    found = told(told_of(shuffled={"minutes": 15}))
    assert sorted(found["event_id"]) == sorted(truth()["event_id"])
    assert not found["ts"].is_sorted()
    assert found["ts_us"].is_sorted()


def test_a_wrong_clock_shifts_what_a_location_says_and_not_when() -> None:
    found = told(told_of(clock_skew={"hours": {1: 0.5}, "max_hours": 0}))
    both = found.join(truth().select("event_id", true="ts", was="ts_us"), on="event_id")
    assert both["ts_us"].equals(both["was"].rename("ts_us"))
    for row in both.sample(200, seed=1).iter_rows(named=True):
        shift = datetime.fromisoformat(row["ts"]) - datetime.fromisoformat(row["true"])
        assert shift.total_seconds() == (1800 if row["location_id"] == 1 else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_lines_break_in_each_way_one_for_one(kind: str) -> None:
    events = truth().head(300)
    source = told_of(malformed={"rate": 0.01 if kind == "huge" else 0.2, "kinds": [kind]})
    lines = source.lines(EVENTS, events).split(b"\n")[:-1]
    good = ToldWorld(world(), FEEDS).lines(EVENTS, events).split(b"\n")[:-1]
    assert len(lines) == len(good) == 300
    broken = [line for line, was in zip(lines, good, strict=True) if line != was]
    assert broken
    assert all(b"\n" not in line for line in broken)
    if kind == "huge":
        assert all(len(line) > 10_000_000 for line in broken)


def test_drift_begins_on_its_day_and_changes_fields() -> None:
    change = {"from_day": 1, "rate": 1.0, "changes": [{"rename": {"location_id": "kitchen_id"}}]}
    source = told_of(drift=change)
    for day, field in ((0, "location_id"), (1, "kitchen_id")):
        first = start_us() + day * US_PER_DAY
        lines = source.lines(EVENTS, source.events(EVENTS, first, first + US_PER_HOUR)).splitlines()
        assert lines
        assert all(field in json.loads(line) for line in lines)


def test_a_file_that_grows_is_in_part_there_and_then_whole_however_often_it_lands(tmp_path: Path) -> None:
    faults = FileFaults(Faults(files={"growing": 1.0}).files, 42)  # type: ignore[arg-type]  # read from text
    window = Window(0, start_us(), start_us() + US_PER_DAY)  # type: ignore[arg-type]  # plain ints
    (part,) = parts(window, 1)
    source = told_of(files={"growing": 1.0})
    path = tmp_path / file_name("r-1", part)
    for _ in range(2):
        prepared_part(source, {EVENTS: tmp_path}, "r-1", part, faults).show()
    whole = source.lines(EVENTS, source.events(EVENTS, window.from_us, window.to_us))
    begun = path.read_bytes()
    assert whole.startswith(begun)
    assert len(begun) < len(whole)
    assert complete_files(tmp_path, before_window=0) == 0
    assert complete_files(tmp_path, before_window=1) == 1
    assert path.read_bytes() == whole
    prepared_part(source, {EVENTS: tmp_path}, "r-1", part, faults).show()
    assert path.read_bytes() == whole, "what has grown does not shrink"


def test_empty_files_and_files_of_two_names_come_beside_the_others(tmp_path: Path) -> None:
    # pydantic reads the mapping
    faults = FileFaults(Faults(files={"empty": 1.0, "twice": 1.0}).files, 42)  # type: ignore[arg-type]
    (part,) = parts(Window(0, start_us(), start_us() + US_PER_HOUR), 1)  # type: ignore[arg-type]  # plain ints
    prepared_part(told_of(), {EVENTS: tmp_path}, "r-1", part, faults).show()
    name = file_name("r-1", part)
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found[name] == found[f"copy-of-{name}"]
    assert [data.strip() for other, data in found.items() if name not in other] == [b""]


@pytest.mark.parametrize(
    ("text", "told_text"),
    [
        ("faults: {duplicates: {rate: 0.9}}", "faults.duplicates.rate: .*less than or equal to 0.5"),
        ("faults: {late: {rate: 0.1, minutes: [9, 3]}}", "minutes must rise"),
        ("faults: {clock_skew: {hours: {1: 2.5}}}", "hours must be within -1 and 1"),
        ("faults: {malformed: {rate: 0.1, kinds: [shouting]}}", "faults.malformed.kinds"),
        ("faults: {drift: {changes: [{add: {a: b}, drop: c}]}}", "one of add, drop, rename, retype"),
        ("faults: {gremlins: {}}", r"faults: unknown keys \['gremlins'\]"),
    ],
)
def test_faults_that_cannot_be_are_refused_in_a_line(tmp_path: Path, text: str, told_text: str) -> None:
    (tmp_path / "s.yml").write_text(text)
    with pytest.raises(ConfigError, match=told_text) as caught:
        load_scenario(str(tmp_path / "s.yml"))
    assert "\n" not in str(caught.value)


def test_faults_compose_with_any_other_scenario() -> None:
    scenario = load_scenario("kitchen_fire+late+duplicates")
    assert scenario.incidents
    assert scenario.faults
    assert scenario.faults.late
    assert scenario.faults.duplicates
    assert scenario.faults.longest_delay_us == (2880 + 60) * 60_000_000
