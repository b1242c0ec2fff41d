"""How long an order takes at each stage, undisturbed and under a scenario's incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from casper_ray.errors import ConfigError
from casper_ray.sim.kitchen.demand import usual_peak
from casper_ray.sim.kitchen.incidents import MS_PER_DAY, MS_PER_MINUTE, Incident, strength, windows
from casper_ray.sim.kitchen.places import Location
from casper_ray.sim.kitchen.streams import Purpose, stream

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class ServiceTime(NamedTuple):
    """Minutes, normal; never below LEAST_MINUTES."""

    mean: float
    sd: float


WAITING = ServiceTime(2.0, 1.0)
COOKING = ServiceTime(10.0, 3.0)
PACKING = ServiceTime(2.0, 1.0)
HANDOVER = ServiceTime(6.0, 2.0)
LEAST_MINUTES = 0.1
KITCHEN_MINUTES = WAITING.mean + COOKING.mean + PACKING.mean
NO_INCIDENT = -1

_LONGEST_MS = 20 * 3_600_000
_BUSY_MS = 30 * MS_PER_MINUTE
_MOST_OVERLOAD = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """When each order's stages end, in milliseconds since day 0, one entry an order.

    incident   index of the incident that delayed the order most; -1 if none did
    """

    created: Ints
    started: Ints
    finished: Ints
    ready: Ints
    arrived: Ints
    picked_up: Ints
    delivered: Ints
    incident: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Stage times in milliseconds, and how the driver will come."""

    waiting: Floats
    cooking: Floats
    packing: Floats
    handover: Floats
    early: NDArray[np.bool_]
    fraction: Floats


def draw_stages(rng: np.random.Generator, orders: int) -> Draws:
    """Undisturbed stage times of `orders` orders."""
    times = [_minutes(rng, stage, orders) * MS_PER_MINUTE for stage in (WAITING, COOKING, PACKING, HANDOVER)]
    return Draws(
        waiting=times[0],
        cooking=times[1],
        packing=times[2],
        handover=times[3],
        early=rng.random(orders) < 0.5,
        fraction=rng.beta(3.0, 3.0, orders),
    )


def _minutes(rng: np.random.Generator, stage: ServiceTime, orders: int) -> Floats:
    return np.maximum(rng.normal(stage.mean, stage.sd, orders), LEAST_MINUTES)


def timelines(
    location: Location,
    incidents: Sequence[Incident],
    created: Ints,
    drive_ms: Ints,
    day: int,
    epoch: datetime,
    seed: int,
) -> Timeline:
    """The lives of the orders of one day.

    Raises: ConfigError if incidents make an order live longer than 20 hours.
    """
    draws = draw_stages(stream(seed, Purpose.SERVICE, location.id, day), len(created))
    delay = _Delay(np.zeros(len(created)), np.full(len(created), NO_INCIDENT))
    slowed = draws
    for number, incident in enumerate(incidents):
        slowed = _slowed(slowed, incident, number, delay, location, created, day, epoch)
    wait = np.zeros(len(created))
    for number, incident in enumerate(incidents):
        wait += _driver_wait(incident, number, delay, location, created, day, seed)
    line = _in_order(slowed, created, drive_ms, wait)
    line = _closed(line, incidents, delay, day)
    if len(created) and int((line.delivered - line.created).max()) > _LONGEST_MS:
        raise ConfigError(
            f"location {location.name!r}, day {day}: incidents keep an order for more than 20 hours",
            "shorten closures or lower kitchen_factor and driver_wait_minutes",
        )
    return replace(line, incident=delay.incident)


class _Delay(NamedTuple):
    """The largest delay of each order so far, and whose it is. Filled in place."""

    ms: Floats
    incident: Ints

    def note(self, number: int, ms: Floats) -> None:
        more = ms > np.maximum(self.ms, 1.0)
        self.ms[more] = ms[more]
        self.incident[more] = number


def _slowed(
    draws: Draws,
    incident: Incident,
    number: int,
    delay: _Delay,
    location: Location,
    created: Ints,
    day: int,
    epoch: datetime,
) -> Draws:
    """Kitchen stages made longer by a slow or an overloaded kitchen."""
    if incident.kitchen_factor == 1.0 and not incident.overload_slowdown:
        return draws
    factor = np.full(len(created), incident.kitchen_factor)
    if incident.overload_slowdown:
        factor = factor + incident.overload_slowdown * _overload(created, usual_peak(location, day, epoch))
    factor = 1.0 + (factor - 1.0) * strength(incident, created, day)
    delay.note(number, (factor - 1.0) * (draws.waiting + draws.cooking + draws.packing))
    return replace(
        draws, waiting=draws.waiting * factor, cooking=draws.cooking * factor, packing=draws.packing * factor
    )


def _overload(created: Ints, peak: float) -> Floats:
    """How far the orders of the last half hour exceed the usual peak, as a share of it."""
    recent = np.arange(1, len(created) + 1) - np.searchsorted(created, created - _BUSY_MS, side="right")
    return np.clip(recent / max(peak, 1.0) - 1.0, 0.0, _MOST_OVERLOAD)


def _driver_wait(
    incident: Incident, number: int, delay: _Delay, location: Location, created: Ints, day: int, seed: int
) -> Floats:
    """Milliseconds that an order waits longer for its driver."""
    if not incident.driver_wait_minutes:
        return np.zeros(len(created))
    rng = stream(seed, Purpose.INCIDENT, location.id, day, incident.stream_key())
    mean_ms = incident.driver_wait_minutes * MS_PER_MINUTE
    wait: Floats = rng.gamma(4.0, mean_ms / 4.0, len(created)) * strength(incident, created, day)
    delay.note(number, wait)
    return wait


def _in_order(draws: Draws, created: Ints, drive_ms: Ints, wait: Floats) -> Timeline:
    started = created + _whole(draws.waiting)
    finished = started + _whole(draws.cooking)
    ready = finished + _whole(draws.packing)
    picked_up = ready + _whole(draws.handover + wait)
    before = created + _whole((ready - created) * draws.fraction)
    after = picked_up - _whole(draws.handover * (1.0 - draws.fraction))
    return Timeline(
        created=created,
        started=started,
        finished=finished,
        ready=ready,
        arrived=np.where(draws.early & (wait == 0.0), before, after),
        picked_up=picked_up,
        delivered=picked_up + drive_ms,
        incident=np.full(len(created), NO_INCIDENT),
    )


def _closed(line: Timeline, incidents: Sequence[Incident], delay: _Delay, day: int) -> Timeline:
    """The timeline with the kitchen standing still while it is closed."""
    closures = sorted(
        (window, number)
        for number, incident in enumerate(incidents)
        if incident.closed
        for window in windows(incident, day)
    )
    until = -MS_PER_DAY
    for (start, end), number in closures:
        begin, until = max(start, until), max(end, until)
        if begin < until:
            line = _held(line, begin, until, number, delay)
    return line


def _held(line: Timeline, start: int, end: int, number: int, delay: _Delay) -> Timeline:
    pause = np.where(line.created < end, end - np.maximum(start, line.created), 0)
    ready = line.ready + np.where(line.ready >= start, pause, 0)
    shift = ready - line.ready
    delay.note(number, shift.astype(np.float64))
    return replace(
        line,
        started=line.started + np.where(line.started >= start, pause, 0),
        finished=line.finished + np.where(line.finished >= start, pause, 0),
        ready=ready,
        arrived=line.arrived + shift,
        picked_up=line.picked_up + shift,
        delivered=line.delivered + shift,
    )


def _whole(ms: Floats) -> Ints:
    return np.rint(ms).astype(np.int64)
