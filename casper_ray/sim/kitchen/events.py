"""The events of one location's orders of one day, as the frame that is cut into windows."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.domain.kitchen import EVENT_TYPES
from casper_ray.sim.kitchen.addresses import AddressBook
from casper_ray.sim.kitchen.basket import Shelf, created_bodies
from casper_ray.sim.kitchen.demand import MOST_ORDERS
from casper_ray.sim.kitchen.ids import event_ids, order_ids, shuffled
from casper_ray.sim.kitchen.orders import Orders
from casper_ray.sim.kitchen.routes import PING_MS
from casper_ray.sim.kitchen.service import Timeline
from casper_ray.sim.text import timestamps

Ints = NDArray[np.int64]

EVENT_SCHEMA = pl.Schema(
    {
        "event_id": pl.String,
        "event_type": pl.String,
        "ts": pl.String,
        "location_id": pl.Int32,
        "order_id": pl.String,
        "sequence": pl.Int32,
        "body": pl.String,
        "ts_us": pl.Int64,
    }
)
_BEFORE_DRIVE = 6  # events up to and with driver_picked_up
_TYPES = pl.Series(EVENT_TYPES)
_NOTHING_TO_SAY = pl.Series(["{}"]).new_from_index(0, 4 * MOST_ORDERS)


def day_events(
    orders: Orders,
    book: AddressBook,
    shelf: Shelf,
    location_id: int,
    seed: int,
    first_number: int,
    start_ms: int,
    loop: int,
) -> pl.DataFrame:
    """Events of `orders`, sorted by (ts, order_id, sequence), with EVENT_SCHEMA.

    first_number  number of the first order; the others follow
    start_ms      milliseconds from 1970 to the instant that the orders' times count from
    """
    times, count = orders.times, len(orders.house)
    if not count:
        return pl.DataFrame(schema=EVENT_SCHEMA)
    pings = book.ping_start[orders.house + 1] - book.ping_start[orders.house]
    owner = np.repeat(np.arange(count), pings)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(pings) - pings, pings)
    order = np.concatenate([np.tile(np.arange(count), _BEFORE_DRIVE), owner, np.arange(count)])
    kind = np.repeat(np.arange(8), [*[count] * _BEFORE_DRIVE, len(owner), count])
    ms = np.concatenate([*_stages(times), times.picked_up[owner] + (nth + 1) * PING_MS, times.delivered])
    sequence = np.concatenate([*_ranks(times), _BEFORE_DRIVE + nth, _BEFORE_DRIVE + pings])
    body = _bodies(orders, book, shelf, book.ping_start[orders.house][owner] + nth)
    numbers = first_number + np.arange(count)
    mixed = shuffled(seed, numbers)
    sort = np.lexsort((sequence, mixed[order], ms))
    order, sequence, unix_ms = order[sort], sequence[sort], start_ms + ms[sort]
    return pl.select(
        event_id=event_ids(seed, numbers[order], sequence, loop),
        event_type=pl.lit(_TYPES).gather(pl.lit(pl.Series(kind[sort]))),
        ts=timestamps(unix_ms),
        location_id=pl.lit(pl.Series(np.full(len(sort), location_id, dtype=np.int32))),
        order_id=pl.lit(order_ids(mixed, loop)).gather(pl.lit(pl.Series(order))),
        sequence=pl.lit(pl.Series(sequence.astype(np.int32))),
        body=body.gather(pl.lit(pl.Series(sort))),
        ts_us=pl.lit(pl.Series(unix_ms * 1000)),
    )


def _stages(times: Timeline) -> tuple[Ints, ...]:
    return (times.created, times.started, times.finished, times.ready, times.arrived, times.picked_up)


def _ranks(times: Timeline) -> list[Ints]:
    """Sequence of each event before the drive: the driver may come before the food is ready."""
    zero = np.zeros(len(times.created), dtype=np.int64)
    kitchen = (times.started, times.finished, times.ready)
    overtaken = [(times.arrived < at).astype(np.int64) for at in kitchen]
    ranks = [place + late for place, late in enumerate(overtaken, start=1)]
    return [zero, *ranks, 4 - sum(overtaken, start=zero), zero + 5]


def _bodies(orders: Orders, book: AddressBook, shelf: Shelf, ping: Ints) -> pl.Expr:
    """Bodies in the order of EVENT_TYPES."""
    house = pl.lit(pl.Series(orders.house))
    created = created_bodies(shelf, orders.lines, pl.lit(book.created).gather(house))
    return (
        created.append(pl.lit(_NOTHING_TO_SAY.head(4 * len(orders.house))))
        .append(pl.lit(book.route).gather(house))
        .append(pl.lit(book.pings).gather(pl.lit(pl.Series(ping))))
        .append(pl.lit(book.delivered).gather(house))
    )
