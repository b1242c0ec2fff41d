"""What a run measures of itself: speed, lag, business per place."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from casper_ray.console.progress import Lag, PlaceState
from casper_ray.domain.time import US_PER_S
from casper_ray.main_job.domains.domain import Places
from casper_ray.sim.clock import Stretch
from casper_ray.sim.lander import Landed

_RECENT_S = 8.0
_RECENT_PERIODS = 24
_BIN_EDGES_MS = 0.1 * 1.01 ** np.arange(1_800)
"""From 0.1 ms to 100 minutes."""
_NO_LAG = Lag(p50_ms=None, p95_ms=None, p99_ms=None)


class LagHistogram:
    """Milliseconds from an event's due time to the commit of Gold, counted in bins 1 % apart: quantiles are right
    to 1 %, and the size does not grow with the events.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(len(_BIN_EDGES_MS) - 1, np.int64)

    def add(self, landed: Landed, stretch: Stretch, committed_s: float) -> None:
        """The lags of one live window's events, taken at the middles of the bins they fall in."""
        window, bins = landed.window, landed.bins
        middles = window.from_us + (np.arange(len(bins)) + 0.5) * (window.to_us - window.from_us) / len(bins)
        due_s = stretch.wall_s + (middles - stretch.sim_us) / (stretch.speed * US_PER_S)
        lags_ms = np.clip((committed_s - due_s) * 1000, _BIN_EDGES_MS[0], _BIN_EDGES_MS[-1])
        self._counts += np.histogram(lags_ms, bins=_BIN_EDGES_MS, weights=bins)[0].astype(np.int64)

    def lag(self) -> Lag:
        total = self._counts.sum()
        if not total:
            return _NO_LAG
        reached = np.searchsorted(np.cumsum(self._counts), np.array([0.5, 0.95, 0.99]) * total)
        p50, p95, p99 = _BIN_EDGES_MS[reached + 1].tolist()
        return Lag(p50_ms=p50, p95_ms=p95, p99_ms=p99)


class _Mark(NamedTuple):
    wall_s: float
    sim_us: int
    events: int


class Pace:
    """Speed reached and events a second over the last few seconds."""

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque()

    def mark(self, wall_s: float, sim_us: int, events: int) -> None:
        self._marks.append(_Mark(wall_s, sim_us, events))
        while len(self._marks) > 2 and wall_s - self._marks[1].wall_s > _RECENT_S:
            self._marks.popleft()

    def restart(self) -> None:
        """What was before does not count: another phase has begun."""
        self._marks.clear()

    def speed(self) -> float | None:
        first, last = self._ends()
        elapsed_s = last.wall_s - first.wall_s
        return (last.sim_us - first.sim_us) / US_PER_S / elapsed_s if elapsed_s > 0 else None

    def events_per_s(self) -> float:
        first, last = self._ends()
        elapsed_s = last.wall_s - first.wall_s
        return (last.events - first.events) / elapsed_s if elapsed_s > 0 else 0.0

    def _ends(self) -> tuple[_Mark, _Mark]:
        none = _Mark(0.0, 0, 0)
        return (self._marks[0], self._marks[-1]) if self._marks else (none, none)


class PlaceFigures:
    """What was counted and what came in at each place, from a Gold table and then from what each batch adds to it.

    names: of the places that there are. What the table says of no place is left out.
    """

    def __init__(self, places: Places, names: Mapping[Any, str]) -> None:
        self._places, self._names = places, names
        self._counted = dict.fromkeys(names, 0)
        self._cents = dict.fromkeys(names, 0)
        self._recent: dict[tuple[Any, int], int] = {}
        self._newest = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Rows of the table's grain to count in."""
        places = self._places
        asked = rows.filter(pl.col(places.place).is_not_null()).select(
            places.place,
            pl.col(places.instant).cast(pl.Datetime("us")).cast(pl.Int64) // places.period_us,
            places.counted,
            (pl.col(places.amount) * 100).cast(pl.Int64),
        )
        for place, period, counted, cents in asked.iter_rows():
            self._counted[place] = self._counted.get(place, 0) + counted
            self._cents[place] = self._cents.get(place, 0) + cents
            self._recent[place, period] = self._recent.get((place, period), 0) + counted
            self._newest = max(self._newest, period)
        oldest = self._newest - _RECENT_PERIODS
        self._recent = {key: counted for key, counted in self._recent.items() if key[1] > oldest}

    def states(self) -> tuple[PlaceState, ...]:
        """Every place, sorted."""
        periods = range(self._newest - _RECENT_PERIODS + 1, self._newest + 1)
        return tuple(
            PlaceState(
                name=self._names.get(place, str(place)),
                counted=counted,
                amount_cents=self._cents[place],
                recent=tuple(self._recent.get((place, period), 0) for period in periods),
            )
            for place, counted in sorted(self._counted.items())
        )
