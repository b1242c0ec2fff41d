"""What a replay lands: the exact list of windows, files and lines; the same lines whatever the schedule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casper_ray.domain.kitchen import EVENT_COLUMNS, EVENTS, ORDER_CREATED
from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_S, SimMicros, as_text
from casper_ray.sim.cursor import Cursor, CursorFile
from casper_ray.sim.lander import Landed, prepared_part
from casper_ray.sim.landing import render_lines
from casper_ray.sim.replay import Chunk, Replay
from casper_ray.sim.window import Window, parts

EPOCH = SimMicros(1_704_067_200_000_000)


class ListedWorld:
    """A world of events that were written down one by one: (ts_us, event_type)."""

    def __init__(self, listed: Sequence[tuple[int, str]]) -> None:
        rows = [
            {
                "event_id": f"e{number}",
                "event_type": event_type,
                "ts": as_text(SimMicros(ts_us)),
                "location_id": 1,
                "order_id": f"O{number}",
                "sequence": 0,
                "body": "{}",
                "ts_us": ts_us,
            }
            for number, (ts_us, event_type) in enumerate(sorted(listed))
        ]
        types = {"location_id": pl.Int32, "sequence": pl.Int32, "ts_us": pl.Int64}
        self.all = pl.DataFrame(rows, schema_overrides=types)

    def events(self, feed: str, from_us: int, to_us: int) -> pl.DataFrame:
        return self.all.filter(pl.col("ts_us").is_between(from_us, to_us, closed="left"))

    def lines(self, feed: str, events: pl.DataFrame) -> bytes:
        return render_lines(events, EVENT_COLUMNS)

    def counted(self, feed: str, events: pl.DataFrame) -> int:
        return int((events["event_type"] == ORDER_CREATED).sum())

    def expected_events(self, from_us: int, to_us: int) -> float:
        return float(self.events(EVENTS, from_us, to_us).height)


class Run:
    """One process's life: a replay from the cursor on disk, and landings in this process."""

    def __init__(self, folder: Path, world: ListedWorld, sizes: Chunk | None = None) -> None:
        self.world, self.volume = world, folder / "volume"
        file = CursorFile(folder / "cursor.json")
        fresh = Cursor(
            replay_id="r-42", position_us=EPOCH, next_window=0, live_from_us=EPOCH, started_wall_us=0
        )
        self.replay = Replay(
            file,
            file.load() or fresh,
            epoch_us=EPOCH,
            expected_events=world.expected_events,
            sizes=sizes,
        )

    def land(
        self, windows: Sequence[Window], *, part_count: int = 1, at_most: int | None = None
    ) -> list[Landed]:
        """Land the windows' parts in order, the first `at_most` of them."""
        cut = [part for window in windows for part in parts(window, part_count)]
        return [
            prepared_part(self.world, {EVENTS: self.volume}, "r-42", part).show() for part in cut[:at_most]
        ]

    def advance(self, until_us: float) -> list[tuple[int, int, int]]:
        """Everything that is due by `until_us`, landed; the windows, as (number, from, to)."""
        done: list[tuple[int, int, int]] = []
        while windows := self.replay.declare(until_us):
            self.land(windows)
            self.replay.landed()
            done += windows
        return done


def after(**units: float) -> int:
    return EPOCH + int(
        units.get("h", 0) * US_PER_HOUR + units.get("s", 0) * US_PER_S + units.get("ms", 0) * 1000
    )


def landed_lines(volume: Path) -> dict[str, list[str]]:
    return {path.name: path.read_text().splitlines() for path in sorted(volume.iterdir())}


WORLD = ListedWorld(
    [
        (after(s=1), "order_created"),
        (after(s=2), "gk_started"),
        (after(s=2), "gk_finished"),
        (after(s=5), "delivered"),
        (after(h=24), "order_created"),
        (after(h=24, ms=1), "gk_started"),
        (after(h=30), "delivered"),
    ]
)


def line(number: int, event_type: str, ts: str) -> str:
    return (
        f'{{"event_id":"e{number}","event_type":"{event_type}","ts":"{ts}","location_id":1,'
        f'"order_id":"O{number}","sequence":0,"body":"{{}}"}}'
    )


def test_the_exact_windows_files_and_lines_of_a_schedule(tmp_path: Path) -> None:
    run = Run(tmp_path, WORLD)
    windows = [
        w
        for stop in (after(s=2), after(s=4), after(s=4), after(h=24, ms=1), after(h=31))
        for w in run.advance(stop)
    ]
    assert windows == [
        (0, after(), after(s=2)),
        (1, after(s=2), after(s=4)),
        (2, after(s=4), after(h=24)),
        (3, after(h=24), after(h=24, ms=1)),
        (4, after(h=24, ms=1), after(h=31)),
    ]
    assert landed_lines(tmp_path / "volume") == {
        "r-42.w00000000.p0000.1704067200000000-1704067202000000.json": [
            line(0, "order_created", "2024-01-01 00:00:01.000")
        ],
        "r-42.w00000001.p0000.1704067202000000-1704067204000000.json": [
            line(1, "gk_finished", "2024-01-01 00:00:02.000"),
            line(2, "gk_started", "2024-01-01 00:00:02.000"),
        ],
        "r-42.w00000002.p0000.1704067204000000-1704153600000000.json": [
            line(3, "delivered", "2024-01-01 00:00:05.000")
        ],
        "r-42.w00000003.p0000.1704153600000000-1704153600001000.json": [
            line(4, "order_created", "2024-01-02 00:00:00.000")
        ],
        "r-42.w00000004.p0000.1704153600001000-1704178800000000.json": [
            line(5, "gk_started", "2024-01-02 00:00:00.001"),
            line(6, "delivered", "2024-01-02 06:00:00.000"),
        ],
    }


def test_a_long_way_is_cut_at_midnights(tmp_path: Path) -> None:
    run = Run(tmp_path, WORLD, Chunk(first_events=math.inf))
    windows = run.replay.declare(after(h=60))
    assert [(w.from_us, w.to_us) for w in windows] == [
        (after(), after(h=24)),
        (after(h=24), after(h=48)),
        (after(h=48), after(h=60)),
    ]


def test_a_chunk_holds_no_more_windows_than_fill_it(tmp_path: Path) -> None:
    run = Run(tmp_path, WORLD, Chunk(first_events=5, chunk_events=5))
    assert [w.number for w in run.replay.declare(after(h=24 * 9))] == [0, 1]
    run.replay.landed()
    assert [w.number for w in run.replay.declare(after(h=24 * 4))] == [2, 3]


def test_the_first_chunk_is_small_and_each_is_twice_as_large_up_to_a_limit(tmp_path: Path) -> None:
    steady = ListedWorld([(after(h=24 * day), "order_created") for day in range(30)])
    run = Run(tmp_path, steady, Chunk(first_events=1, chunk_events=5))
    counts = []
    for _ in range(5):
        counts.append(len(run.replay.declare(after(h=24 * 30))))
        run.replay.landed()
    assert counts == [1, 2, 4, 5, 5]


def test_a_window_of_too_many_events_is_cut_to_whole_milliseconds(tmp_path: Path) -> None:
    crowd = ListedWorld([(after(ms=i), "driver_ping") for i in range(1000)])
    run = Run(tmp_path, crowd, Chunk(window_events=300, first_events=math.inf))
    windows = run.replay.declare(after(s=1))
    assert windows[0].to_us == after(ms=300)
    assert windows[-1].to_us == after(s=1)
    assert all((w.to_us - w.from_us) % 1000 == 0 for w in windows)
    assert all(crowd.expected_events(w.from_us, w.to_us) <= 300 for w in windows)


def test_nothing_is_due_at_the_cursor_or_before_it(tmp_path: Path) -> None:
    run = Run(tmp_path, WORLD)
    assert run.replay.declare(EPOCH) == ()
    assert run.replay.declare(EPOCH - 1000) == ()
    assert not (tmp_path / "cursor.json").exists()


def test_windows_are_written_down_before_they_are_landed(tmp_path: Path) -> None:
    declared = Run(tmp_path, WORLD).replay.declare(after(h=1))
    stored = CursorFile(tmp_path / "cursor.json").load()
    assert stored is not None
    assert stored.pending == declared
    assert Run(tmp_path, WORLD).replay.declare(after(h=2)) == declared


def test_a_window_without_events_leaves_no_file(tmp_path: Path) -> None:
    run = Run(tmp_path, WORLD)
    (found,) = run.land([Window(0, SimMicros(after(h=1)), SimMicros(after(h=2)))])
    assert (found.events, found.counted, found.bins.sum()) == (0, 0, 0)
    assert not run.volume.exists()


def test_a_landing_counts_what_it_brought_and_when(tmp_path: Path) -> None:
    run = Run(tmp_path, WORLD)
    (found,) = run.land([Window(0, EPOCH, SimMicros(after(s=128)))])
    assert (found.events, found.counted) == (4, 1)
    assert {i: n for i, n in enumerate(found.bins.tolist()) if n} == {1: 1, 2: 2, 5: 1}


class Step(NamedTuple):
    """A turn of a schedule: how far simulated time comes, and where the process dies on its way.

    dies: "declared", "parts" (after some parts), "landed" (before the cursor moved on), "moved" (before the
    cursor was saved), or "" for a turn without a crash.
    """

    ahead_ms: int
    dies: str
    parts_landed: int


SPAN_MS = 3 * US_PER_DAY // 1000
steps = st.builds(
    Step,
    st.integers(0, 5000) | st.integers(0, SPAN_MS),
    st.sampled_from(["", "", "declared", "parts", "landed", "moved"]),
    st.integers(0, 3),
)
worlds = st.lists(
    st.tuples(
        (st.integers(0, 5000) | st.integers(0, SPAN_MS - 1)).map(lambda ms: EPOCH + 1000 * ms),
        st.sampled_from(["order_created", "delivered"]),
    ),
    min_size=1,
    max_size=30,
)
sizes = st.builds(
    Chunk,
    window_events=st.sampled_from([2.0, 10.0, math.inf]),
    first_events=st.sampled_from([1.0, 3.0]),
    chunk_events=st.sampled_from([1.0, 8.0, math.inf]),
)


@settings(max_examples=40)
@given(listed=worlds, schedule=st.lists(steps, max_size=10), chunk=sizes, part_count=st.integers(1, 5))
def test_any_schedule_with_any_crashes_lands_every_line_once(
    listed: list[tuple[int, str]],
    schedule: list[Step],
    chunk: Chunk,
    part_count: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, world = tmp_path_factory.mktemp("replay"), ListedWorld(listed)
    run, until_ms, first_bytes = Run(folder, world, chunk), 0, {}
    for step in [*schedule, Step(SPAN_MS, "", 0)]:
        until_ms += step.ahead_ms
        until_us = min(after(ms=until_ms), EPOCH + 3 * US_PER_DAY)
        while windows := run.replay.declare(until_us):
            at_most = {"declared": 0, "parts": step.parts_landed}.get(step.dies)
            run.land(windows, part_count=part_count, at_most=at_most)
            for path in run.volume.glob("*"):
                data = path.read_bytes()
                assert first_bytes.setdefault(path.name, data) == data, (
                    "a window landed again is the same bytes"
                )
            if step.dies not in ("declared", "parts", "landed"):
                run.replay.landed()
            if step.dies:
                run = Run(folder, world, chunk)
                break
    files = landed_lines(run.volume)
    assert files.keys() == first_bytes.keys()
    every_line = [text for lines in files.values() for text in lines]
    assert every_line == render_lines(world.all, EVENT_COLUMNS).decode().splitlines(), (
        "in order of file names: in order of time"
    )
