"""The orders of one location on one day of the dataset, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from casper_ray.sim.kitchen.addresses import AddressBook
from casper_ray.sim.kitchen.basket import Shelf, baskets
from casper_ray.sim.kitchen.demand import order_times
from casper_ray.sim.kitchen.incidents import Incident
from casper_ray.sim.kitchen.places import Location
from casper_ray.sim.kitchen.service import Timeline, timelines
from casper_ray.sim.kitchen.streams import Purpose, stream

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """One entry an order, in order of creation.

    house   whose order it is: place in the address book
    lines   what is in it: a row of basket lines
    times   its life
    """

    house: Ints
    lines: Ints
    times: Timeline


def day_orders(
    location: Location,
    incidents: Sequence[Incident],
    shelf: Shelf,
    book: AddressBook,
    day: int,
    epoch: datetime,
    seed: int,
) -> Orders:
    """The orders created at `location` on `day`. `incidents`: those that touch this location."""
    created = order_times(location, incidents, day, epoch, seed)
    draws = stream(seed, Purpose.CUSTOMER, location.id, day).random(len(created))
    house = np.minimum(np.searchsorted(book.chances, draws, side="right"), len(book.chances) - 1)
    return Orders(
        house=house,
        lines=baskets(location, shelf, day, len(created), seed),
        times=timelines(location, incidents, created, book.drive_ms[house], day, epoch, seed),
    )
