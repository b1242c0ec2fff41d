from __future__ import annotations

import io

import pytest

from casper_ray.console.plain import PlainWatcher
from casper_ray.console.testing import progress, summary


class Clock:
    """Seconds that rise when told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def test_one_line_in_two_seconds(out: io.StringIO, clock: Clock) -> None:
    watcher = PlainWatcher(out, clock)
    for _ in range(100):  # 10 s of ten snapshots a second
        watcher.progressed(progress())
        clock.now_s += 0.1
    assert len(out.getvalue().splitlines()) == 5


def test_a_change_of_phase_is_told_at_once(out: io.StringIO, clock: Clock) -> None:
    watcher = PlainWatcher(out, clock)
    for phase in ("simulating the world", "catching up", "catching up", "live"):
        watcher.progressed(progress(phase=phase))
    lines = out.getvalue().splitlines()
    assert [any(phase in line for line in lines) for phase in ("simulating", "catching up", "live")] == [
        True
    ] * 3
    assert len(lines) == 3


def test_a_line_says_where_the_run_is(out: io.StringIO, clock: Clock) -> None:
    PlainWatcher(out, clock).progressed(progress(quarantined=3))
    assert out.getvalue() == (
        "   30 s  live         2024-03-11 14:00 (day 70)  3,598x of 3,600x  1,008,500 events  12,346/s  "
        "lag 212 ms, p95 483 ms  3 rejected  62% to day 90\n"
    )


def test_notes_are_told_once_and_a_flood_is_counted(out: io.StringIO, clock: Clock) -> None:
    watcher = PlainWatcher(out, clock)
    watcher.progressed(progress(note="resumed"))
    watcher.progressed(progress(note="resumed"))
    for n in range(50):
        watcher.noted(f"{n} rejected lines")
    clock.now_s += 2
    watcher.progressed(progress(note="resumed"))
    notes = [line for line in out.getvalue().splitlines() if "note:" in line]
    assert len(notes) == 6
    assert notes[0] == "  note: resumed"
    assert notes[-1] == "  note: 46 more"


def test_ends_with_the_summary_and_what_to_try_next(out: io.StringIO, clock: Clock) -> None:
    PlainWatcher(out, clock).finished(summary(quarantined=3))
    text = out.getvalue()
    for piece in (
        "Ended: the end of the data",
        "20 days of kitchen",
        "228,000 events",
        "17,040 orders",
        "3,600x real time",
        "p50 212 ms",
        "2 duplicates, 12 late, 3 rejected",
        "lakeflow.all_events",
        "version 5",
        "caspers in /data/lake",
        "  casper sim --loop\n      again",
    ):
        assert piece in text


def test_characters_that_the_stream_lacks_are_escaped(clock: Clock) -> None:
    raw = io.BytesIO()
    watcher = PlainWatcher(io.TextIOWrapper(raw, encoding="ascii"), clock)
    watcher.noted("São Paulo opened")
    assert raw.getvalue() == b"  note: S\\xe3o Paulo opened\n"
