"""The accelerated clock: the one place that reads the wall clock, or sleeps, for simulated time."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from casper_ray.domain.time import US_PER_S, SimMicros

MAX_SPEED = math.inf
"""Do not wait: every instant is due at once."""


def wall_now() -> datetime:
    """The wall clock, for anchoring a first run and for a schedule that kept no process alive."""
    return datetime.now(UTC)


class Stretch(NamedTuple):
    """A stretch of one speed: simulated time `sim_us` was due at wall second `wall_s` (monotonic)."""

    sim_us: int
    wall_s: float
    speed: float

    def due_s(self, instant_us: float) -> float:
        """The wall second at which a simulated instant is, or was, due."""
        return self.wall_s + (instant_us - self.sim_us) / (self.speed * US_PER_S)


class ReplayClock:
    """Simulated time as a straight line over wall time, bent wherever the speed changes.

    position = start + (now - started) x speed. A change of speed, a pause and a resume begin a new line at the
    position reached, so simulated time never jumps and never runs back.
    """

    def __init__(
        self, position_us: SimMicros, speed: float, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._now_s = monotonic_s
        self._stretch = Stretch(position_us, monotonic_s(), speed)
        self._paused_speed: float | None = None

    @property
    def stretch(self) -> Stretch:
        return self._stretch

    @property
    def paused(self) -> bool:
        return self._paused_speed is not None

    @property
    def speed(self) -> float:
        """The speed asked for; while paused, the one to go on with."""
        return self._stretch.speed if self._paused_speed is None else self._paused_speed

    def position_us(self) -> float:
        """Simulated time now, in whole milliseconds; infinity at `MAX_SPEED`."""
        sim_us, wall_s, speed = self._stretch
        if speed == MAX_SPEED:
            return math.inf
        elapsed_ms = (self._now_s() - wall_s) * speed * 1000
        return sim_us + 1000 * math.floor(elapsed_ms)

    def set_speed(self, speed: float, reached_us: int) -> None:
        """Go on at another speed from here. reached_us: where `MAX_SPEED`, which has no position, has got to."""
        if self.paused:
            self._paused_speed = speed
        else:
            self._bend(speed, reached_us)

    def pause(self, reached_us: int) -> None:
        """Stand still from here on."""
        if not self.paused:
            asked = self._stretch.speed
            self._bend(0.0, reached_us)
            self._paused_speed = asked

    def resume(self, reached_us: int) -> None:
        """Go on from where the pause began."""
        if self._paused_speed is not None:
            speed, self._paused_speed = self._paused_speed, None
            self._bend(speed, reached_us)

    def _bend(self, speed: float, reached_us: int) -> None:
        here = self.position_us()
        self._stretch = Stretch(reached_us if math.isinf(here) else int(here), self._now_s(), speed)


class Ticker:
    """Wakes its caller every `tick_s`, on a fixed beat, or early when `stop` is set."""

    def __init__(self, tick_s: float, stop: threading.Event) -> None:
        self._tick_s, self._stop = tick_s, stop
        self._next_s = time.monotonic() + tick_s

    def wait(self, look: Callable[[], bool]) -> None:
        """Sleep to the next beat; `look` is asked ten times a second, and True ends the sleep.

        A caller who comes late is not made to catch up on beats that it missed.
        """
        while (left_s := self._next_s - time.monotonic()) > 0 and not self._stop.is_set():
            self._stop.wait(min(left_s, 0.1))
            if look():
                break
        now_s = time.monotonic()
        on_beat_s = self._next_s + self._tick_s
        self._next_s = on_beat_s if on_beat_s > now_s else now_s + self._tick_s
