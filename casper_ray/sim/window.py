"""Windows of simulated time, and the file names that say which window brought a file."""

from __future__ import annotations

import re
from typing import NamedTuple

from casper_ray.domain.time import SimMicros

_NAME = re.compile(
    r"(?P<replay>[a-z0-9-]+)\.w(?P<number>\d{8})\.p(?P<part>\d{4})\.(?P<start>\d+)-(?P<end>\d+)\.json"
)


class Window(NamedTuple):
    """The events with from_us <= ts < to_us. number: counts the windows of a replay, from 0."""

    number: int
    from_us: SimMicros
    to_us: SimMicros


class Part(NamedTuple):
    """A stretch of a window that becomes one file, so that a long window can be written side by side."""

    window: Window
    number: int
    from_us: SimMicros
    to_us: SimMicros


def parts(window: Window, count: int) -> list[Part]:
    """The window cut into `count` stretches of whole milliseconds, nearly equal."""
    length_ms = (window.to_us - window.from_us) // 1000
    count = max(1, min(count, length_ms))
    edges = [window.from_us + 1000 * (length_ms * i // count) for i in range(count)] + [window.to_us]
    return [Part(window, i, SimMicros(edges[i]), SimMicros(edges[i + 1])) for i in range(count)]


def file_name(replay_id: str, part: Part) -> str:
    """The name of a part's file: the same whenever the window is replayed. Sorts by time."""
    window = part.window
    return f"{replay_id}.w{window.number:08d}.p{part.number:04d}.{window.from_us}-{window.to_us}.json"


def window_of(name: str) -> Window | None:
    """The window that brought a file, by its name; None for a file that no replay named."""
    if not (match := _NAME.fullmatch(name)):
        return None
    return Window(int(match["number"]), SimMicros(int(match["start"])), SimMicros(int(match["end"])))
