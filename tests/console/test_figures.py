from __future__ import annotations

import pytest

from casper_ray.console import figures


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.44, "0.4 s"),
        (12.4, "12 s"),
        (59.7, "1m 00s"),
        (185, "3m 05s"),
        (7620, "2h 07m"),
        (273_600, "3d 04h"),
        (None, "-"),
        (float("inf"), "-"),
        (-1, "0.0 s"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float | None, text: str) -> None:
    assert figures.duration(seconds) == text


@pytest.mark.parametrize(("cents", "text"), [(0, "$0.00"), (39_171_099, "$391,710.99"), (-205, "-$2.05")])
def test_money_is_exact(cents: int, text: str) -> None:
    assert figures.money(cents) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0, "0"), (3.54, "3.5"), (12_345.6, "12,346"), (float("nan"), "-")]
)
def test_counts_are_grouped(value: float | None, text: str) -> None:
    assert figures.count(value) == text


def test_lag_turns_to_seconds_when_long() -> None:
    assert [figures.lag(ms) for ms in (None, 212.3, 12_300, 200_000)] == ["-", "212 ms", "12 s", "3m 20s"]


def test_hundred_percent_only_when_done() -> None:
    assert [figures.percent(f) for f in (-1, 0.999, 1, 7, float("nan"))] == [
        "0%",
        "99%",
        "100%",
        "100%",
        "0%",
    ]


def test_control_characters_of_a_bad_line_do_not_reach_the_terminal() -> None:
    assert figures.one_line("bad\x1b[2Jline\r\nnext\x07") == "bad[2Jline next"
