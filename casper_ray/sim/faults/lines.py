"""Lines that break on their way, and lines of another version of who wrote them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl

from casper_ray.domain.time import US_PER_DAY
from casper_ray.sim.faults.chance import chances
from casper_ray.sim.faults.spec import Change, Faults, Kind
from casper_ray.sim.feed import Feed

_HUGE_BYTES = 10_000_000
_HUGE_SHARE = 0.01
_OF_NUMBERS = ("nan", "numbers_as_strings")


def broken_lines(
    data: bytes, events: pl.DataFrame, feed: Feed, faults: Faults, seed: int, epoch_us: int
) -> bytes:
    """`data`, a feed's events as lines; those that chance picks drift or break. A line never becomes two, or none.

    Kinds that spoil a number spare a feed without numbers.
    """
    if not data:
        return data
    keys = feed.keys(events[feed.key])
    drifting, breaking = (np.zeros(len(keys), np.bool_) for _ in range(2))
    kinds: tuple[Kind, ...] = ()
    if faults.drift:
        since_us = epoch_us + faults.drift.from_day * US_PER_DAY
        drifting = chances(keys, seed, "drift") < faults.drift.rate
        drifting &= events["ts_us"].to_numpy() >= since_us
    if faults.malformed:
        kinds = tuple(kind for kind in faults.malformed.kinds if feed.numbers or kind not in _OF_NUMBERS)
        breaking = (chances(keys, seed, "malformed") < faults.malformed.rate) & bool(kinds)
    chosen = np.flatnonzero(drifting | breaking)
    if not chosen.size:
        return data
    lines = data.split(b"\n")[: events.height]
    lots = chances(keys, seed, "which")
    for row in chosen.tolist():
        if drifting[row] and faults.drift:
            changes = faults.drift.changes
            lines[row] = _drifted(lines[row], changes[int(lots[row] * len(changes))])
        if breaking[row]:
            lines[row] = _broken(lines[row], feed, kinds, float(lots[row]))
    return b"\n".join([*lines, b""])


def _drifted(line: bytes, change: Change) -> bytes:
    event: dict[str, Any] = json.loads(line)
    if change.drop:
        event.pop(change.drop, None)
    elif change.retype and change.retype in event:
        value = event[change.retype]
        event[change.retype] = str(value) if not isinstance(value, str) else {"value": value}
    elif change.rename:
        event = {change.rename.get(name, name): value for name, value in event.items()}
    return _line(event | change.add)


def _broken(line: bytes, feed: Feed, kinds: tuple[Kind, ...], lot: float) -> bytes:
    kind = kinds[int(lot * len(kinds))]
    within = lot * len(kinds) % 1.0
    if kind == "huge" and within > _HUGE_SHARE * len(kinds) and len(kinds) > 1:
        kind = next(other for other in kinds if other != "huge")
    place = 1 + int(within * (len(line) - 2))
    match kind:
        case "torn":
            return line[:place]
        case "nul":
            return line[:place] + b"\0" + line[place:]
        case "encoding":
            return line.decode().encode("utf-16-le").replace(b"\n", b" ")
        case "huge":
            return line[:-1] + b',"padding":"' + b"x" * _HUGE_BYTES + b'"}'
        case "nan":
            name = _name(feed.numbers[-1])
            return line.replace(name, name + b'NaN,"_":', 1)
        case "duplicate_keys":
            return line[:-1] + b"," + _name(feed.place or feed.key) + b"99999}"
        case "numbers_as_strings":
            event = json.loads(line)
            number = feed.numbers[0]
            return _line(event | ({number: json.dumps(event[number])} if number in event else {}))


def _name(field: str) -> bytes:
    """A field's name as it stands before its value."""
    return f'"{field}":'.encode()


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()
