from __future__ import annotations

import pytest

from casper_ray.console.testing import progress
from casper_ray.console.trail import Trail


def test_change_is_what_the_tables_last_commit_brought() -> None:
    trail = Trail()
    assert trail.after(progress(version=5)).changes == {}
    assert trail.after(progress(version=6)).changes["lakeflow.all_events"] == 1000
    assert trail.after(progress(version=6)).changes["lakeflow.all_events"] == 1000


def test_time_left_follows_the_recent_pace() -> None:
    trail = Trail()
    assert trail.after(progress(wall_s=100, fraction=0.5)).left_s is None
    assert trail.after(progress(wall_s=110, fraction=0.6)).left_s == pytest.approx(40)


def test_time_left_forgets_the_pace_of_another_phase() -> None:
    trail = Trail()
    trail.after(progress(phase="catching up", wall_s=0, fraction=0.0))
    trail.after(progress(phase="catching up", wall_s=10, fraction=0.5))
    assert trail.after(progress(phase="live", wall_s=11, fraction=0.5)).left_s is None


@pytest.mark.parametrize("fraction", [None, 0.5])
def test_no_time_left_without_a_goal_or_without_movement(fraction: float | None) -> None:
    trail = Trail()
    trail.after(progress(wall_s=0, fraction=fraction))
    assert trail.after(progress(wall_s=10, fraction=fraction)).left_s is None


def test_last_note_wins_whichever_way_it_came() -> None:
    trail = Trail()
    trail.after(progress(note="resumed"))
    trail.noted("speed 60")
    trail.after(progress(note="resumed"))
    assert trail.note == "speed 60"
    trail.after(progress(note="lease taken over"))
    assert trail.note == "lease taken over"
