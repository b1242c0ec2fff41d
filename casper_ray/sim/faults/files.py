"""Files that are empty, that grow after they were there, that come under two names."""

from __future__ import annotations

from pathlib import Path

from casper_ray import durable
from casper_ray.durable import Staged
from casper_ray.sim.faults.chance import chance
from casper_ray.sim.faults.spec import Files
from casper_ray.sim.window import Part, file_name, window_of

_WHOLE = ".whole-"
_EMPTY_PART = 9_000
_KEY = 10_000
_FEED_SHIFT = 48


def staged_with_faults(
    faults: Files, seed: int, volume: Path, replay_id: str, part: Part, data: bytes, feed_number: int = 0
) -> list[Staged]:
    """The part's file for the volume, and what is wrong with it. Retry: safe; the same faults again.

    feed_number: which of the world's feeds it is, so that each feed's files have a chance of their own.

    A file that grows is there in part first, cut within a line, and what it will be lies beside it under a name that
    nobody reads; `complete_files` brings it forth. One that has grown already is left alone.
    """
    name = file_name(replay_id, part)
    key = (feed_number << _FEED_SHIFT) + part.window.number * _KEY + part.number
    staged: list[Staged] = []
    if data and chance(key, seed, "growing") < faults.growing:
        staged += _begun(volume / name, data, chance(key, seed, "how much"))
    elif data:
        staged.append(durable.stage_file(volume / name, data))
    if data and chance(key, seed, "twice") < faults.twice:
        staged.append(durable.stage_file(volume / f"copy-of-{name}", data))
    if part.number == 0 and chance(key, seed, "empty") < faults.empty:
        empty = file_name(replay_id, part._replace(number=_EMPTY_PART))
        staged.append(durable.stage_file(volume / empty, b"" if part.window.number % 2 else b"\n\n"))
    return staged


def complete_files(volume: Path, before_window: int | None = None) -> int:
    """Files of earlier windows brought to their end; how many. None: of every window. Retry: safe."""
    waiting = sorted(volume.glob(f"{_WHOLE}*.json"))
    grown = 0
    for whole in waiting:
        window = window_of(whole.name.removeprefix(_WHOLE))
        if window and (before_window is None or window.number < before_window):
            whole.replace(volume / whole.name.removeprefix(_WHOLE))
            grown += 1
    if grown:
        durable.flush_folder(volume)
    return grown


def _begun(path: Path, data: bytes, share: float) -> list[Staged]:
    if path.exists() and path.stat().st_size >= len(data):
        return []
    durable.write_file(path.with_name(_WHOLE + path.name), data)
    return [durable.stage_file(path, data[: max(1, int(share * len(data)))])]
