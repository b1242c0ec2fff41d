"""Wishes from one process reach the replay in another, each once."""

from __future__ import annotations

from pathlib import Path

from casper_ray.sim.control import Control, Wish


def test_numbers_of_wishes_rise(tmp_path: Path) -> None:
    control = Control(tmp_path)
    asked = [control.ask(paused=True), control.ask(speed=60.0), control.ask(paused=False)]
    assert [wish.number for wish in asked] == [1, 2, 3]
    assert Control(tmp_path).ask().number == 4


def test_what_is_not_given_stays_as_last_asked(tmp_path: Path) -> None:
    control = Control(tmp_path)
    control.ask(paused=True)
    assert control.ask(speed=60.0) == Wish(2, True, 60.0)
    assert control.ask(paused=False) == Wish(3, False, 60.0)
    assert control.wish() == Wish(3, False, 60.0)


def test_before_any_wish_there_is_none(tmp_path: Path) -> None:
    assert Control(tmp_path).new_wish() is None
    assert Control(tmp_path).wish() == Wish()


def test_a_wish_is_new_once(tmp_path: Path) -> None:
    replay, person = Control(tmp_path), Control(tmp_path)
    person.ask(paused=True)
    assert replay.new_wish() == Wish(1, True, None)
    assert replay.new_wish() is None
    person.ask(paused=True)
    assert replay.new_wish() == Wish(2, True, None)
    assert replay.new_wish() is None


def test_of_several_wishes_between_two_looks_the_last_counts(tmp_path: Path) -> None:
    replay, person = Control(tmp_path), Control(tmp_path)
    person.ask(paused=True)
    person.ask(speed=5.0)
    assert replay.new_wish() == Wish(2, True, 5.0)
    assert replay.new_wish() is None


def test_a_new_run_forgets_what_an_earlier_one_was_asked(tmp_path: Path) -> None:
    Control(tmp_path).ask(paused=True, speed=9.0)
    control = Control(tmp_path)
    control.forget()
    control.forget()
    assert control.new_wish() is None
    assert control.wish() == Wish()
    Control(tmp_path).ask(speed=2.0)
    assert control.new_wish() == Wish(1, False, 2.0)


def test_the_last_status_is_the_one_that_is_told(tmp_path: Path) -> None:
    control = Control(tmp_path)
    assert control.told() is None
    control.tell({"phase": "live", "events": 1})
    control.tell({"phase": "paused", "events": 2})
    assert Control(tmp_path).told() == {"phase": "paused", "events": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]
