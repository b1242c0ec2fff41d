"""The loop: land what is due, run the pipeline over it, look for wishes, wait for the next tick."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from casper_ray.domain.time import US_PER_S, SimMicros, sim_micros
from casper_ray.failpoints import reach
from casper_ray.main_job.options import JobOptions
from casper_ray.main_job.report import Reporter
from casper_ray.main_job.world_tables import TruthWriter
from casper_ray.medallion.runner import Runner
from casper_ray.sim.clock import MAX_SPEED, ReplayClock, Stretch, Ticker, wall_now
from casper_ray.sim.control import Control
from casper_ray.sim.lander import Landed, Lander, Landing
from casper_ray.sim.replay import Replay


class _Flight(NamedTuple):
    """Windows on their way. stretch: the clock's line that they came due on; None: no time was set for them."""

    landing: Landing
    stretch: Stretch | None


@dataclass(slots=True, kw_only=True)
class ReplayLoop:
    """One run's loop over windows.

    end_us: where it ends at the latest (infinity: nowhere). warm: returns once the workers are ready for a batch; a
    clock that ran before would only let events wait for them.
    """

    options: JobOptions
    replay: Replay
    lander: Lander
    runner: Runner | None
    truth: TruthWriter
    control: Control
    reporter: Reporter
    end_us: float
    stop: threading.Event
    warm: Callable[[], object]
    _clock: ReplayClock = field(init=False)
    _catch_up_us: float = field(init=False)
    _live_speed: float = field(init=False)
    _live_since_s: float | None = field(init=False, default=None)
    _flight: _Flight | None = field(init=False, default=None)

    def run(self) -> str:
        """Replay until there is a reason to end, which is returned. Everything is saved by then."""
        self.control.forget()
        self._live_speed = self.options.speed
        self._catch_up_us = min(self.end_us, self._caught_up_at())
        self._clock = ReplayClock(self._declared_us, MAX_SPEED)
        self._finish_what_a_crash_left()
        ticker = Ticker(self.options.tick_s, self.stop)
        while (reason := self._reason_to_end()) is None:
            self._step()
            self._report()
            if self._flight is None and not self._over():
                ticker.wait(self._steer)
        if self._flight:
            self._go_through(self._flight)
        if self.lander.complete():
            self._run_pipeline([], None)
        self._save()
        return reason

    def _finish_what_a_crash_left(self) -> None:
        self.reporter.show("starting", self._declared_us, self._clock)
        if self.runner and (report := self.runner.recover()):
            self.reporter.noted(f"finished batch {report.batch.number}, which a crash had left half done")
            self.reporter.committed(report)
        self.lander.remove_unfinished()
        if pending := self.replay.cursor.pending:
            self.reporter.noted(f"landing {len(pending)} windows again, which a crash had left half done")
            self._flight = _Flight(self.lander.start(pending), None)

    def _step(self) -> None:
        """One turn: what is due lands, and goes through the pipeline while what comes next is landing."""
        self._steer()
        self._go_through(self._flight or self._take_off())
        if self._live_since_s is None and self._flight is None and self._declared_us >= self._catch_up_us:
            self._go_live()

    def _go_through(self, flight: _Flight | None) -> None:
        """Land what is on its way and run the pipeline; where no time is set, the next is landing meanwhile."""
        self._flight = None
        landed = self._land(flight) if flight else []
        if self._clock.speed == MAX_SPEED and not self._clock.paused and not self._reason_to_end():
            self._flight = self._take_off()
        self._run_pipeline(landed, flight.stretch if flight else None)
        self.truth.follow(self.replay.cursor.position_us)

    def _take_off(self) -> _Flight | None:
        """What is due, written down and begun; None if nothing is."""
        live = self._live_since_s is not None
        limit = self.end_us if live else self._catch_up_us
        windows = self.replay.declare(min(limit, self._clock.position_us()))
        if not windows:
            return None
        timed = live and self._clock.speed != MAX_SPEED
        return _Flight(self.lander.start(windows), self._clock.stretch if timed else None)

    def _land(self, flight: _Flight) -> list[Landed]:
        landed = flight.landing.wait()
        self.replay.landed()
        self.reporter.landed(landed)
        return landed

    def _run_pipeline(self, landed: list[Landed], stretch: Stretch | None) -> None:
        if self.runner is None:
            return
        for report in self.runner.run_available(self.replay.cursor.position_us):
            self.reporter.committed(report)
            self._report()
        if stretch:
            self.reporter.lagged(landed, stretch, time.monotonic())

    def _go_live(self) -> None:
        self.warm()
        self._live_since_s = time.monotonic()
        paused = self._clock.paused
        self._clock = ReplayClock(self._declared_us, self._live_speed)
        if paused:
            self._clock.pause(self._declared_us)
        self.reporter.went_live()

    def _steer(self) -> bool:
        """Do what `casper replay …` asked for since the last look; True if it asked for anything."""
        wish = self.control.new_wish()
        if wish is None:
            return False
        if self._flight is None and self._live_since_s is not None:
            # What came due before the clock bends is due by the line that it bends away from.
            self._flight = self._take_off()
        if wish.speed is not None and wish.speed != self._live_speed:
            self._live_speed = wish.speed
            if self._live_since_s is not None:
                self._clock.set_speed(wish.speed, self._declared_us)
            self.reporter.noted(f"speed set to {_speed_text(wish.speed)}")
        if wish.paused and not self._clock.paused:
            self._clock.pause(self._declared_us)
            self.reporter.noted("paused")
        elif not wish.paused and self._clock.paused:
            self._clock.resume(self._declared_us)
            self.reporter.noted("resumed")
        return True

    def _reason_to_end(self) -> str | None:
        if self.stop.is_set():
            return "interrupted; everything is saved"
        if self._over():
            return self._end_text()
        if self._live_since_s is None:
            return None
        if self.options.available_now and self._declared_us >= self._catch_up_us:
            return "caught up with what was due"
        if self.options.for_s is not None and time.monotonic() - self._live_since_s >= self.options.for_s:
            return f"{self.options.for_s:g} s were asked for"
        return None

    def _over(self) -> bool:
        return self._flight is None and self._declared_us >= self.end_us

    def _end_text(self) -> str:
        if self.options.until_day is None:
            return "the data ends here (--loop goes on)"
        return f"day {self.options.until_day:g} was asked for"

    def _save(self) -> None:
        self.reporter.show("finishing", self._declared_us, self._clock)
        self.truth.follow(self.replay.cursor.position_us, wait=True)
        self.replay.save()
        reach("cursor.after")

    def _caught_up_at(self) -> float:
        """Where catching up ends: at first at the start day; from there on, for a schedule that keeps no
        process alive, where the clock would have come by now.
        """
        cursor = self.replay.cursor
        if not self.options.available_now or cursor.position_us < cursor.live_from_us:
            return cursor.live_from_us
        elapsed_s = (sim_micros(wall_now()) - cursor.started_wall_us) / US_PER_S
        due = cursor.live_from_us + elapsed_s * self.options.speed * US_PER_S
        return due if math.isinf(due) else 1000 * math.floor(due / 1000)

    def _report(self) -> None:
        if self._clock.paused:
            phase = "paused"
        else:
            phase = "catching up" if self._live_since_s is None else "live"
        self.control.tell(self.reporter.show(phase, self.replay.cursor.position_us, self._clock))

    @property
    def _declared_us(self) -> SimMicros:
        """How far windows have been written down."""
        cursor = self.replay.cursor
        return cursor.pending[-1].to_us if cursor.pending else cursor.position_us


def _speed_text(speed: float) -> str:
    return "max" if math.isinf(speed) else f"{speed:g}x"
