"""What a run measures of itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from casper_ray.domain.time import US_PER_DAY, US_PER_HOUR, SimMicros
from casper_ray.main_job.domains.domain import Places
from casper_ray.main_job.figures import LagHistogram, Pace, PlaceFigures
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


HOURLY = Places(
    table="sales", place="shop", instant="hour", counted="orders", amount="revenue", period_us=US_PER_HOUR,
    dimension="shops", name="name",
)  # fmt: skip
DAILY = Places(
    table="branches", place="branch", instant="day", counted="transactions", amount="amount", period_us=US_PER_DAY,
    dimension="branches", name="name",
)  # fmt: skip


def test_places_add_up_and_keep_their_last_day_of_hours() -> None:
    figures = PlaceFigures(HOURLY, {1: "North", 2: "South"})
    hours = [datetime(2024, 1, 1, 5, tzinfo=UTC), datetime(2024, 1, 2, 4, tzinfo=UTC)]
    for hour in hours:
        figures.add(pl.DataFrame({"shop": [1], "hour": [hour], "orders": [3], "revenue": [Decimal("10.50")]}))
    north, south = figures.states()
    assert (north.name, north.counted, north.amount_cents) == ("North", 6, 2100)
    assert north.recent == (3, *[0] * 22, 3)
    assert (south.name, south.counted, south.recent) == ("South", 0, (0,) * 24)
    later = datetime(2024, 1, 2, 5, tzinfo=UTC)
    figures.add(pl.DataFrame({"shop": [2], "hour": [later], "orders": [1], "revenue": [Decimal("0.01")]}))
    assert figures.states()[0].recent == (*[0] * 22, 3, 0), "the oldest hour is forgotten"


def test_places_may_be_texts_and_periods_days_and_rows_of_no_place_are_left_out() -> None:
    figures = PlaceFigures(DAILY, {"B000": "Harbour"})
    figures.add(
        pl.DataFrame(
            {
                "branch": ["B000", "B001", None],
                "day": [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 2)],
                "transactions": [4, 5, 9],
                "amount": [Decimal("1.25"), Decimal("2.00"), Decimal("9.99")],
                "other": ["x", "y", "z"],
            }
        )
    )
    harbour, unnamed = figures.states()
    assert (harbour.name, harbour.counted, harbour.amount_cents) == ("Harbour", 4, 125)
    assert (unnamed.name, unnamed.recent[-2:]) == ("B001", (0, 5))
    assert harbour.recent[-2:] == (4, 0)
