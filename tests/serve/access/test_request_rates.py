"""Token buckets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from casper_ray.serve.access.rates import Rates


class Hands:
    """A clock that is moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    clock = Hands()
    rates = Rates(2.0, 3, clock=clock)
    assert [rates.take("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert rates.take("a") == 0.5
    clock.now += 0.5
    assert rates.take("a") == 0.0
    assert rates.take("a") == 0.5


def test_names_do_not_use_up_each_others_buckets() -> None:
    rates = Rates(1.0, 1, clock=Hands())
    assert rates.take("a") == 0.0
    assert rates.take("a") > 0
    assert rates.take("b") == 0.0


def test_what_is_refused_is_not_counted() -> None:
    clock = Hands()
    rates = Rates(1.0, 1, clock=clock)
    rates.take("a")
    for _ in range(1_000):
        assert rates.take("a") == 1.0
    clock.now += 1.0
    assert rates.take("a") == 0.0


@given(
    per_s=st.floats(0.1, 1_000.0),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=100),
)
def test_no_span_has_more_than_a_burst_and_what_the_rate_gives(
    per_s: float, burst: int, pauses: list[float]
) -> None:
    clock = Hands()
    rates = Rates(per_s, burst, clock=clock)
    taken = []
    for pause in pauses:
        clock.now += pause
        if rates.take("a") == 0.0:
            taken.append(clock.now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + per_s * (taken[last] - taken[first]) + 1e-6


def test_buckets_of_more_names_than_are_kept_go_unused_ones_first() -> None:
    rates = Rates(1.0, 1, clock=Hands(), most=2)
    for name in ("a", "b"):
        rates.take(name)
    rates.take("a")
    rates.take("c")
    rates.take("d")
    assert len(rates._full_at) == 2
