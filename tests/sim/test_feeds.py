"""A world of several feeds: each lands in a volume of its own, and all of a window is there before it is over."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from ferries import DEPARTURES, FEEDS, TICKETS, Ferries

from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR, SimMicros, sim_micros
from casper_ray.sim.faults.spec import Faults, Files
from casper_ray.sim.faults.told import ToldWorld
from casper_ray.sim.lander import FileFaults, Lander, Landing, prepared_part
from casper_ray.sim.window import Part, Window, file_name, parts

WORLD = Ferries()
START = sim_micros(WORLD.epoch)
TOLD = ToldWorld(WORLD, FEEDS)


def window(number: int, from_hour: float, to_hour: float) -> Window:
    first, last = (START + round(hour * US_PER_HOUR) for hour in (from_hour, to_hour))
    return Window(number, SimMicros(first), SimMicros(last))


def volumes_in(folder: Path) -> dict[str, Path]:
    return {feed: folder / feed for feed in WORLD.feeds}


def in_sight(volumes: dict[str, Path]) -> dict[str, list[str]]:
    return {
        feed: sorted(path.name for path in folder.glob("*") if not path.name.startswith("."))
        for feed, folder in volumes.items()
    }


def lines_in(folder: Path) -> Counter[bytes]:
    return Counter(line for path in folder.glob("*.json") for line in path.read_bytes().split(b"\n") if line)


def lander(volumes: dict[str, Path], told: ToldWorld = TOLD, files: Files | None = None) -> Lander:
    faults = FileFaults(files, told.world.seed) if files else None
    return Lander(told, volumes, "f-1", told.world.expected_events, faults)


def test_every_feed_lands_in_its_own_volume_under_the_same_names(tmp_path: Path) -> None:
    volumes = volumes_in(tmp_path)
    (landed,) = lander(volumes).start([window(0, 0, 24)]).wait()
    (part,) = parts(window(0, 0, 24), 1)
    name = file_name("f-1", part)
    assert in_sight(volumes) == {TICKETS: [name], DEPARTURES: [name]}
    first = json.loads((volumes[DEPARTURES] / name).read_bytes().splitlines()[0])
    assert first == {
        "event_id": f"E{0:016X}",
        "ts": "2024-01-01 00:00:00.000",
        "boat": {"name": "Gull", "trip": 0},
    }
    assert (landed.events, landed.counted) == (144 + 24, 96)
    assert landed.bins.sum() == landed.events


def test_a_feed_without_events_in_a_window_leaves_no_file_of_it(tmp_path: Path) -> None:
    volumes = volumes_in(tmp_path)
    (landed,) = lander(volumes).start([window(0, 0.5, 0.9)]).wait()
    assert [len(names) for names in in_sight(volumes).values()] == [1, 0]
    assert landed.events == 3


def test_a_part_comes_into_sight_in_every_volume_before_the_next_in_any(tmp_path: Path) -> None:
    volumes = volumes_in(tmp_path)
    cut = parts(window(0, 0, 24), 3)
    prepared = [prepared_part(TOLD, volumes, "f-1", part) for part in cut]
    assert in_sight(volumes) == {TICKETS: [], DEPARTURES: []}, "nothing before its time"
    for shown in range(1, 4):
        prepared[shown - 1].show()
        names = [file_name("f-1", part) for part in cut[:shown]]
        assert in_sight(volumes) == {TICKETS: names, DEPARTURES: names}


class DiedError(Exception):
    pass


@pytest.mark.parametrize("hit", [1, 2, 3, 4])
def test_who_dies_between_two_feeds_lands_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hit: int
) -> None:
    wanted, volumes = volumes_in(tmp_path / "whole"), volumes_in(tmp_path / "died")
    cut = parts(window(0, 0, 24), 2)
    Landing(wanted, [window(0, 0, 24)], [[prepared_part(TOLD, wanted, "f-1", part) for part in cut]]).wait()
    hits: list[str] = []

    def reach(name: str) -> None:
        hits.append(name)
        if len(hits) == hit:
            raise DiedError

    with monkeypatch.context() as patched:
        patched.setattr("casper_ray.sim.lander.reach", reach)
        with pytest.raises(DiedError):
            _land(volumes, cut)
    assert hits == ["window.landed"] * hit
    assert sum(map(len, in_sight(volumes).values())) == hit
    again = lander(volumes)
    again.remove_unfinished()
    assert all(not path.name.startswith(".") for folder in volumes.values() for path in folder.glob("*"))
    _land(volumes, cut)
    for feed, folder in volumes.items():
        assert in_sight(volumes)[feed] == in_sight(wanted)[feed]
        for name in in_sight(volumes)[feed]:
            assert (folder / name).read_bytes() == (wanted[feed] / name).read_bytes()


def _land(volumes: dict[str, Path], cut: list[Part]) -> None:
    Landing(volumes, [window(0, 0, 24)], [[prepared_part(TOLD, volumes, "f-1", part) for part in cut]]).wait()


def test_files_grow_in_every_volume_and_each_has_its_own_chance(tmp_path: Path) -> None:
    volumes = volumes_in(tmp_path)
    landing = lander(volumes, files=Files(growing=0.5))
    for day in range(2):
        for hour in range(24):
            at = 24 * day + hour
            landing.start([window(at, at, at + 1)]).wait()
    growing = {feed: {path.name for path in folder.glob(".whole-*")} for feed, folder in volumes.items()}
    assert any(growing.values()), "the last ones"
    begun = {feed: sum(lines_in(folder).values()) for feed, folder in volumes.items()}
    assert landing.complete()
    assert not landing.complete(), "all are whole"
    for feed, folder in volumes.items():
        whole = WORLD.lines(feed, WORLD.events(feed, START, WORLD.end_us())).split(b"\n")
        assert lines_in(folder) == Counter(line for line in whole if line)
    assert begun != {feed: sum(lines_in(folder).values()) for feed, folder in volumes.items()}


def test_feeds_do_not_share_the_chances_of_their_files(tmp_path: Path) -> None:
    volumes = volumes_in(tmp_path)
    landing = lander(volumes, files=Files(twice=0.5))
    for hour in range(48):
        landing.start([window(hour, hour, hour + 1)]).wait()
    copied = {
        feed: {name.removeprefix("copy-of-") for name in names if name.startswith("copy-of-")}
        for feed, names in in_sight(volumes).items()
    }
    assert all(12 <= len(names) <= 36 for names in copied.values())
    assert copied[TICKETS] != copied[DEPARTURES]


EVERY = {
    "duplicates": {"rate": 0.3, "minutes": 90},
    "late": {"rate": 0.2, "minutes": [10, 300]},
    "shuffled": {"minutes": 45},
    "clock_skew": {"max_hours": 1, "hours": {"north": 0.5}},
    "malformed": {"rate": 0.2, "kinds": ["torn", "nan", "numbers_as_strings", "duplicate_keys"]},
    "drift": {"from_day": 1, "rate": 0.3, "changes": [{"add": {"line": "blue"}}, {"drop": "quay"}]},
}


@pytest.mark.parametrize("feed", WORLD.feeds)
@pytest.mark.parametrize("hours", [1, 7])
def test_every_fault_falls_on_every_feed_whatever_the_windows(feed: str, hours: int) -> None:
    told = ToldWorld(WORLD, FEEDS, Faults(**EVERY))
    found = _lines(told, feed, hours)
    assert found == _lines(told, feed, 24 * 30)
    assert sum(found.values()) > WORLD.events(feed, START, WORLD.end_us()).height, "some are told twice"
    plain = _lines(TOLD, feed, 24)
    assert found.keys() != plain.keys(), "some are broken"


def _lines(told: ToldWorld, feed: str, hours: int) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    for first in range(START, told.end_us(), hours * US_PER_HOUR):
        events = told.events(feed, first, first + hours * US_PER_HOUR)
        found.update(line for line in told.lines(feed, events).split(b"\n") if line)
    return found


def test_a_wrong_clock_is_that_of_the_place_and_spares_a_feed_without_places() -> None:
    told = ToldWorld(WORLD, FEEDS, Faults(clock_skew={"hours": {"north": 0.5}, "max_hours": 0}))
    tickets = told.events(TICKETS, START, START + US_PER_DAY)
    plain = WORLD.events(TICKETS, START, START + US_PER_DAY)
    shifted = tickets["ts"] != plain["ts"]
    assert (shifted == (plain["quay"] == "north")).all()
    assert told.events(DEPARTURES, START, START + US_PER_DAY).equals(
        WORLD.events(DEPARTURES, START, START + US_PER_DAY)
    )


def test_kinds_that_spoil_numbers_spare_a_feed_without_numbers() -> None:
    told = ToldWorld(WORLD, FEEDS, Faults(malformed={"rate": 1, "kinds": ["nan", "numbers_as_strings"]}))
    assert _lines(told, DEPARTURES, 24) == _lines(TOLD, DEPARTURES, 24)
    assert not _lines(told, TICKETS, 24).keys() & _lines(TOLD, TICKETS, 24).keys()


def test_only_what_the_domain_counts_is_counted() -> None:
    assert TOLD.counted(TICKETS, WORLD.events(TICKETS, START, START + US_PER_HOUR)) == 4
    assert TOLD.counted(DEPARTURES, WORLD.events(DEPARTURES, START, START + US_PER_HOUR)) == 0
