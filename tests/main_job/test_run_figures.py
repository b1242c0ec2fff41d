"""What a run measures of itself."""

from __future__ import annotations

import numpy as np
import pytest

from casper_ray.domain.time import SimMicros
from casper_ray.main_job.figures import LagHistogram, Pace
from casper_ray.sim.clock import Stretch
from casper_ray.sim.lander import Landed
from casper_ray.sim.window import Window


def landed(counts: list[int], length_us: int) -> Landed:
    window = Window(0, SimMicros(0), SimMicros(length_us))
    return Landed(window=window, events=sum(counts), counted=0, bins=np.array(counts, np.int64))


def test_without_events_there_is_no_lag() -> None:
    assert LagHistogram().lag().p50_ms is None


def test_lags_are_measured_from_the_instant_an_event_was_due() -> None:
    # One second at 1x in ten bins, ten events each, committed 2 s after it began: lags from 1.05 to 1.95 s.
    histogram = LagHistogram()
    histogram.add(landed([10] * 10, 1_000_000), Stretch(0, 100.0, 1.0), 102.0)
    lag = histogram.lag()
    assert lag.p50_ms == pytest.approx(1450, rel=0.02)
    assert lag.p95_ms == pytest.approx(1950, rel=0.02)


def test_windows_count_by_their_events() -> None:
    histogram = LagHistogram()
    histogram.add(landed([99], 1_000), Stretch(0, 0.0, 1.0), 0.1)
    histogram.add(landed([1], 1_000), Stretch(0, 0.0, 1.0), 10.0)
    lag = histogram.lag()
    assert lag.p95_ms == pytest.approx(99.5, rel=0.02)
    assert lag.p99_ms == pytest.approx(99.5, rel=0.02)


def test_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    for second in range(100):
        pace.mark(float(second), second * (1_000_000 if second < 50 else 3_000_000), 10 * second)
    assert pace.speed() == pytest.approx(3.0, rel=0.01)
    assert pace.events_per_s() == pytest.approx(10.0)
