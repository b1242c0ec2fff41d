"""Where a replay stands, and which windows it has said it will land."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from casper_ray import durable
from casper_ray.domain.time import SimMicros
from casper_ray.errors import LakeError
from casper_ray.sim.window import Window

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A replay's place.

    position_us: every event before it has been landed. next_window: the number of the next window. pending: windows
    that were written down and may or may not have been landed. live_from_us: where catching up ends, and
    started_wall_us the wall time at which that was decided: with them, a schedule that keeps no process
    alive knows how far simulated time has come. looped: the run that came here went on past the data's end.
    """

    replay_id: str
    position_us: SimMicros
    next_window: int
    live_from_us: SimMicros
    started_wall_us: int
    looped: bool = False
    pending: tuple[Window, ...] = ()

    def declare(self, stops_us: list[SimMicros]) -> Cursor:
        """The cursor with new windows pending, each from where the last one ended to the next stop."""
        if self.pending:
            raise ValueError(f"{len(self.pending)} windows of {self.replay_id} have not been landed yet")
        starts = [self.position_us, *stops_us[:-1]]
        windows = tuple(
            Window(self.next_window + i, start, stop)
            for i, (start, stop) in enumerate(zip(starts, stops_us, strict=True))
        )
        return replace(self, pending=windows)

    def landed(self) -> Cursor:
        """The cursor after its pending windows are in the volume."""
        if not self.pending:
            return self
        last = self.pending[-1]
        return replace(self, position_us=last.to_us, next_window=last.number + 1, pending=())


class CursorFile:
    """A cursor on disk, replaced atomically and durably."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Cursor | None:
        """The cursor as last saved, or None before the first run. Raises: LakeError if it cannot be read."""
        try:
            value = durable.read_json(self._path)
            if value is None:
                return None
            if (found := value.pop("format")) != _FORMAT:
                raise LakeError(f"{self._path}: is of format {found}, expected {_FORMAT}")
            pending = tuple(Window(*window) for window in value.pop("pending"))
            return Cursor(pending=pending, **value)
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(f"{self._path}: is not a cursor ({error})", "restore it from a copy") from error

    def save(self, cursor: Cursor) -> None:
        durable.write_json(self._path, {"format": _FORMAT, **asdict(cursor)})
