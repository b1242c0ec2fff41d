"""What changes about customers, day by day: inserts, moves, devices, limits, and leaving the bank. Numbers only.

A customer's whole history follows from the seed, the cases and the actions, so the changes of a day are found without
those of the days before, and each still knows its place in the customer's history.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from casper_ray.domain.time import US_PER_DAY
from casper_ray.sim.bank.actions import ChangeLimit
from casper_ray.sim.bank.engine import Engine
from casper_ray.sim.bank.habits import (
    DEVICE_PERIOD,
    MOVE_PERIOD,
    address_on,
    device_on,
    leaves_on,
    turning_days,
)
from casper_ray.sim.bank.hours import MS_PER_HOUR
from casper_ray.sim.bank.people import DEVICES_EACH, People
from casper_ray.sim.bank.streams import Ints, Salt, below
from casper_ray.sim.bank.transfers import enrolled_ms

INSERTS_LAST_MS = 600_000
"""Customers are told one after the other in the first ten minutes of day 0."""
_LAST = {"card": "limit_card", "atm": "limit_atm", "wire": "limit_wire", "credit": "credit_limit"}


class Op(IntEnum):
    INSERT = 0
    UPDATE = 1
    DELETE = 2


IMAGE = np.dtype(
    [
        ("there", "?"),
        ("moves", "i4"),
        ("device", "i8"),
        ("devices", "i4"),
        ("limit_card", "i8"),
        ("limit_atm", "i8"),
        ("limit_wire", "i8"),
        ("credit_limit", "i8"),
    ]
)
"""What may change about a customer. there: there is a row at all; moves: how often; devices: how many were enrolled;
amounts in cents."""
Images = NDArray[np.void]
Image = tuple[int, ...]
"""One of IMAGE, as Python has it."""
_PLACE = {name: place for place, name in enumerate(IMAGE.names or ())}
_NOBODY: Image = (0,) * len(_PLACE)


class Change(NamedTuple):
    """One update or delete. ms since the day's start."""

    customer: int
    ms: int
    op: Op
    lsn: int
    before: Image
    after: Image


class _Step(NamedTuple):
    """What happens to an image: `field` gets `value`; a step without a field ends the customer."""

    day: int
    ms: int
    field: str | None
    value: int


def insert_ms(customers: Ints, of: int) -> Ints:
    """When customers are told on day 0."""
    ms: Ints = customers * INSERTS_LAST_MS // of
    return ms


def first_images(people: People) -> Images:
    """The customers on day 0."""
    images: Images = np.zeros(len(people), dtype=IMAGE)
    images["there"], images["device"], images["devices"] = True, people.device, 1
    for limit in ("card", "atm", "wire"):
        images[f"limit_{limit}"] = getattr(people, f"limit_{limit}_cents")
    images["credit_limit"] = people.credit_limit_cents
    return images


def changes_on(engine: Engine, day: int) -> Iterator[Change]:
    """The updates and deletes of a day, by customer and time."""
    for shard in range(engine.scenario.shards):
        people = engine.people(shard)
        for place in np.flatnonzero(_changed(engine, people, day)).tolist():
            yield from _history(engine, people, place, day)


def _changed(engine: Engine, people: People, day: int) -> NDArray[np.bool_]:
    seed, customer = engine.seed, people.customer
    leaves = leaves_on(seed, customer)
    moved = address_on(seed, customer, day) != address_on(seed, customer, day - 1)
    enrolled = device_on(seed, people, day) != device_on(seed, people, day - 1)
    changed = ((day > 0) & (moved | enrolled)) | (leaves == day)
    strange = engine.cases.enrolments()
    start = engine.start_us + day * US_PER_DAY
    touched = [*strange["customer"][strange["day"] == day].tolist()]
    touched += [a.customer for a in engine.actions if start <= a.at_us < start + US_PER_DAY]
    found: NDArray[np.bool_] = (changed | np.isin(customer, touched)) & (leaves >= day)
    return found


def _history(engine: Engine, people: People, place: int, day: int) -> Iterator[Change]:
    """A customer's changes of a day, found by going through all until then."""
    customer = int(people.customer[place])
    image: Image = first_images(people)[place].item()
    for lsn, step in enumerate(_steps(engine, people, place, day), start=2):
        after = _after(image, step)
        if step.day == day:
            yield Change(customer, step.ms, Op.UPDATE if step.field else Op.DELETE, lsn, image, after)
        image = after


def _after(image: Image, step: _Step) -> Image:
    if step.field is None:
        return _NOBODY
    values = list(image)
    values[_PLACE[step.field]] = step.value
    values[_PLACE["devices"]] += step.field == "device"
    return tuple(values)


def _steps(engine: Engine, people: People, place: int, day: int) -> list[_Step]:
    """All that happens to a customer up to the end of a day, in order of time."""
    seed, one = engine.seed, people.customer[place : place + 1]
    customer, leaves = int(one[0]), int(leaves_on(seed, one)[0])
    steps = [
        _Step(when, int(_moving_ms(seed, one, when)[0]), "moves", nth)
        for nth, when in enumerate(turning_days(seed, Salt.STREET, customer, day, MOVE_PERIOD), start=1)
    ]
    first = int(people.device[place])
    steps += [
        _Step(when, int(enrolled_ms(seed, one, when)[0]), "device", first + nth % DEVICES_EACH)
        for nth, when in enumerate(turning_days(seed, Salt.DEVICE, customer, day, DEVICE_PERIOD), start=1)
    ]
    strange = engine.cases.enrolments()
    start, end = np.searchsorted(strange["customer"], [customer, customer + 1])
    steps += [
        _Step(int(row["day"]), int(row["ms"]), "device", int(row["device"])) for row in strange[start:end]
    ]
    for action in engine.actions:
        if isinstance(action, ChangeLimit) and action.customer == customer:
            when, us = divmod(action.at_us - engine.start_us, US_PER_DAY)
            steps.append(_Step(when, -(-us // 1000), _LAST[action.limit], action.cents))
    told = int(insert_ms(one, engine.scenario.customers)[0])
    steps = [step._replace(ms=max(step.ms, told + 1)) if step.day == 0 else step for step in steps]
    steps = [step for step in steps if step.day <= day and step.day < leaves]
    steps.sort(key=lambda step: (step.day, step.ms))
    return [*steps, _Step(leaves, 0, None, 0)] if leaves <= day else steps


def _moving_ms(seed: int, customers: Ints, day: int) -> Ints:
    return 8 * MS_PER_HOUR + below(seed, Salt.CHANGE, customers * 16_384 + day, 12 * MS_PER_HOUR)
