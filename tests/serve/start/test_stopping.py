"""Signals end a start: the first in order, the second at once."""

from __future__ import annotations

import signal

import pytest

from casper_ray.serve.stopping import stopping


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_asks_and_the_second_interrupts(number: signal.Signals) -> None:
    with stopping() as stop:
        signal.raise_signal(number)
        assert stop.is_set()
        assert stop.interrupted is (number == signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)


def test_signals_are_heard_again_after_somebody_took_them() -> None:
    with stopping() as stop:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.listen()
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()


def test_handlers_of_before_are_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stopping():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
