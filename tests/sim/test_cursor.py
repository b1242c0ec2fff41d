"""The cursor on disk, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.domain.time import SimMicros
from casper_ray.errors import LakeError
from casper_ray.sim.cursor import Cursor, CursorFile
from casper_ray.sim.window import Window

CURSOR = Cursor(
    replay_id="r-42",
    position_us=SimMicros(1000),
    next_window=5,
    live_from_us=SimMicros(9000),
    started_wall_us=77,
)


def us(*instants: int) -> list[SimMicros]:
    return [SimMicros(instant) for instant in instants]


def test_declared_windows_follow_each_other_from_the_position() -> None:
    declared = CURSOR.declare(us(3000, 4000, 8000))
    # SimMicros are ints to compare with
    assert declared.pending == (Window(5, 1000, 3000), Window(6, 3000, 4000), Window(7, 4000, 8000))  # type: ignore[arg-type]
    assert (declared.position_us, declared.next_window) == (1000, 5)


def test_landing_moves_past_what_was_pending() -> None:
    landed = CURSOR.declare(us(3000, 4000)).landed()
    assert (landed.position_us, landed.next_window, landed.pending) == (4000, 7, ())
    assert (landed.replay_id, landed.live_from_us, landed.started_wall_us) == ("r-42", 9000, 77)


def test_landing_nothing_moves_nothing() -> None:
    assert CURSOR.landed() == CURSOR


def test_windows_that_were_not_landed_are_not_forgotten() -> None:
    declared = CURSOR.declare(us(3000))
    with pytest.raises(ValueError, match="1 windows of r-42 have not been landed yet"):
        declared.declare(us(4000))


def test_before_the_first_run_there_is_no_cursor(tmp_path: Path) -> None:
    assert CursorFile(tmp_path / "cursor.json").load() is None


@given(steps=st.lists(st.integers(1, 10**13), max_size=6))
def test_a_cursor_comes_back_as_it_was_saved(
    steps: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = CursorFile(tmp_path_factory.mktemp("cursor") / "cursor.json")
    stops = us(*(1000 + sum(steps[: i + 1]) for i in range(len(steps))))
    cursor = CURSOR.declare(stops) if stops else CURSOR
    file.save(CURSOR)
    file.save(cursor)
    assert file.load() == cursor


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff",
        b"{",
        b"[]",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "pending": [[1]]}',
        b'{"format": 1, "pending": 3}',
        b'{"format": 1, "pending": [], "position": 1}',
    ],
)
def test_garbage_is_refused_with_the_file_and_a_hint(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "cursor.json"
    path.write_bytes(data)
    with pytest.raises(LakeError, match=r"cursor\.json: is not a cursor .*Hint: restore it"):
        CursorFile(path).load()


def test_half_a_cursor_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cursor.json"
    CursorFile(path).save(CURSOR)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LakeError, match="is not a cursor"):
        CursorFile(path).load()


def test_a_cursor_of_another_format_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "cursor.json"
    CursorFile(path).save(CURSOR)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(LakeError, match="is of format 2, expected 1"):
        CursorFile(path).load()


def test_a_refused_cursor_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "cursor.json"
    path.write_bytes(b"{}")
    with pytest.raises(LakeError):
        CursorFile(path).load()
    assert path.read_bytes() == b"{}"
