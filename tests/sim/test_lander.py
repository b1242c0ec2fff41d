"""Files come into sight in the order of their time, and none before its part is whole."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS
from casper_ray.domain.time import US_PER_DAY, SimMicros
from casper_ray.sim.lander import Landing, Prepared, prepared_part
from casper_ray.sim.landing import render_lines
from casper_ray.sim.window import Part, Window, file_name, parts

WINDOW = Window(0, SimMicros(0), SimMicros(4 * US_PER_DAY))


class Hourly:
    """A world of an event an hour."""

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        times = [us for us in range(0, 4 * US_PER_DAY, US_PER_DAY // 24) if from_us <= us < to_us]
        return pl.DataFrame(
            {
                "ts_us": times,
                "body": "{}",
                "event_id": [f"e{us}" for us in times],
                "event_type": ["gk_started"] * len(times),
                "ts": "2024-01-01 00:00:00.000",
                "location_id": 1,
                "order_id": "O",
                "sequence": 0,
            },
            schema_overrides={"ts_us": pl.Int64, "event_type": pl.String},
        )

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        return render_lines(events, EVENT_COLUMNS)

    def counted(self, feed: str, events: pl.DataFrame) -> int:
        return 0


def prepared(volume: Path, cut: list[Part]) -> list[Prepared]:
    return [prepared_part(Hourly(), {EVENTS: volume}, "r-1", part) for part in cut]


def in_sight(volume: Path) -> list[str]:
    return sorted(path.name for path in volume.iterdir() if not path.name.startswith("."))


def test_nothing_is_in_sight_while_any_part_is_under_way(tmp_path: Path) -> None:
    cut = parts(WINDOW, 4)
    late_ones = prepared(tmp_path, cut[2:])
    assert in_sight(tmp_path) == []
    landed = Landing({EVENTS: tmp_path}, [WINDOW], [prepared(tmp_path, cut[:2]), late_ones]).wait()
    assert in_sight(tmp_path) == [file_name("r-1", part) for part in cut]
    assert [one.events for one in landed] == [96]
    assert len(list(tmp_path.iterdir())) == 4, "nothing hidden is left"


def test_who_dies_while_files_come_into_sight_leaves_those_up_to_an_instant(tmp_path: Path) -> None:
    cut = parts(WINDOW, 4)
    first, second, *_ = prepared(tmp_path, cut)
    first.show()
    second.show()
    assert in_sight(tmp_path) == [file_name("r-1", part) for part in cut[:2]]
    Landing({EVENTS: tmp_path}, [WINDOW], [prepared(tmp_path, cut)]).wait()
    assert in_sight(tmp_path) == [file_name("r-1", part) for part in cut]


def test_a_window_without_events_leaves_no_volume(tmp_path: Path) -> None:
    empty = Window(9, SimMicros(9 * US_PER_DAY), SimMicros(10 * US_PER_DAY))
    (landed,) = Landing({EVENTS: tmp_path / "v"}, [empty], [prepared(tmp_path / "v", parts(empty, 1))]).wait()
    assert landed.events == 0
    assert not (tmp_path / "v").exists()
