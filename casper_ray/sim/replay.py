"""The replay: which windows come next, written down before they are landed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Self

from casper_ray.domain.time import US_PER_DAY, SimMicros
from casper_ray.failpoints import reach
from casper_ray.sim.cursor import Cursor, CursorFile
from casper_ray.sim.window import Window

ExpectedEvents = Callable[[int, int], float]
"""About how many events there are between two instants."""
_CHUNKS_A_DAY = 8
_MOST_EVENTS = 800_000


class Chunk(NamedTuple):
    """Sizes, in events: what one window holds at most, and all windows that are under way together.

    The first chunk of a run is small, so that there is something to see; each is then twice as large.
    """

    window_events: float = 400_000
    first_events: float = 40_000
    chunk_events: float = 250_000

    @classmethod
    def of_days(cls, day_events: float) -> Self:
        """Sizes for a world with so many events a day.

        A table with a file a day is written anew with every batch of that day: so a long day is cut into a few only,
        as few as a batch's memory allows.
        """
        sizes = cls()
        chunk = min(max(day_events / _CHUNKS_A_DAY, sizes.chunk_events), _MOST_EVENTS)
        return cls(window_events=max(chunk, sizes.window_events), chunk_events=chunk)


class Replay:
    """A cursor and the rules by which it moves. It lands nothing itself.

    The order of things is the promise: `declare` writes the windows down; the caller lands them, however
    often it dies in between; `landed` moves on. The same windows give the same files.
    """

    def __init__(
        self,
        file: CursorFile,
        cursor: Cursor,
        *,
        epoch_us: SimMicros,
        expected_events: ExpectedEvents,
        sizes: Chunk | None = None,
    ) -> None:
        self._file, self.cursor = file, cursor
        self._epoch_us, self._expected, self._sizes = epoch_us, expected_events, sizes or Chunk()
        self._chunk_events = self._sizes.first_events

    def declare(self, until_us: float) -> tuple[Window, ...]:
        """Windows from the cursor toward `until_us`, not more than fit one chunk; () where it is there.

        Windows end at midnights where they are longer than what is left of a day, so that long stretches are
        cut alike however the replay came to them.
        """
        if self.cursor.pending:
            return self.cursor.pending
        stops = self._stops(until_us)
        if not stops:
            return ()
        self.cursor = self.cursor.declare(stops)
        self._file.save(self.cursor)
        reach("cursor.declared")
        return self.cursor.pending

    def landed(self) -> None:
        """The declared windows are in the volume. Written down with the next ones, or by `save`."""
        self.cursor = self.cursor.landed()

    def save(self) -> None:
        self._file.save(self.cursor)
        reach("cursor.saved")

    def _stops(self, until_us: float) -> list[SimMicros]:
        stops: list[SimMicros] = []
        start, filled = self.cursor.position_us, 0.0
        while start < until_us and filled < self._chunk_events:
            stop = self._stop(start, until_us)
            stops.append(stop)
            filled += self._expected(start, stop)
            start = stop
        if filled >= self._chunk_events:
            self._chunk_events = min(2 * self._chunk_events, self._sizes.chunk_events)
        return stops

    def _stop(self, start: int, until_us: float) -> SimMicros:
        midnight = start + US_PER_DAY - (start - self._epoch_us) % US_PER_DAY
        stop = min(until_us, midnight)
        expected = self._expected(start, int(stop))
        if expected > self._sizes.window_events:
            share = (stop - start) * self._sizes.window_events / expected
            stop = start + max(1000, 1000 * math.floor(share / 1000))
        return SimMicros(int(stop))
