"""What really happened to each order, and why it was late. No agent's tool reads this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.sim.kitchen.addresses import AddressBook
from casper_ray.sim.kitchen.basket import Shelf, basket_cents
from casper_ray.sim.kitchen.ids import order_ids, shuffled
from casper_ray.sim.kitchen.incidents import MS_PER_MINUTE, Incident
from casper_ray.sim.kitchen.orders import Orders
from casper_ray.sim.kitchen.service import Draws, draw_stages
from casper_ray.sim.kitchen.streams import Purpose, stream

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_SAMPLE = 50_000
_CAUSES = ("kitchen", "handover", "drive")
_INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What is usual at a location when nothing goes wrong, in minutes.

    Taken from the location's own service times and address book, so that an incident does not move it.
    """

    p50: float
    p75: float
    p99: float
    kitchen: float
    handover: float
    drive: float


def build_yardstick(book: AddressBook, location_id: int, seed: int) -> Yardstick:
    """The yardstick of a location, by a seeded sample of undisturbed orders."""
    rng = stream(seed, Purpose.YARDSTICK, location_id)
    draws: Draws = draw_stages(rng, _SAMPLE)
    drive = book.drive_ms[np.searchsorted(book.chances, rng.random(_SAMPLE), side="right")] / MS_PER_MINUTE
    kitchen = (draws.waiting + draws.cooking + draws.packing) / MS_PER_MINUTE
    handover = draws.handover / MS_PER_MINUTE
    p50, p75, p99 = np.quantile(kitchen + handover + drive, (0.50, 0.75, 0.99)).round(4).tolist()
    return Yardstick(
        p50=p50,
        p75=p75,
        p99=p99,
        kitchen=float(kitchen.mean()),
        handover=float(handover.mean()),
        drive=float(drive.mean()),
    )


def order_truth(
    orders: Orders,
    incidents: Sequence[Incident],
    shelf: Shelf,
    yardstick: Yardstick,
    location_id: int,
    seed: int,
    first_number: int,
    start_ms: int,
    loop: int,
) -> pl.DataFrame:
    """One row per order, sorted by created_ts. Minutes are double; see KitchenWorld.truth."""
    times = orders.times
    numbers = first_number + np.arange(len(orders.house))
    stages = {
        "kitchen": (times.ready - times.created) / MS_PER_MINUTE,
        "handover": (times.picked_up - times.ready) / MS_PER_MINUTE,
        "drive": (times.delivered - times.picked_up) / MS_PER_MINUTE,
    }
    total = (times.delivered - times.created) / MS_PER_MINUTE
    excess = {name: minutes - getattr(yardstick, name) for name, minutes in stages.items()}
    late = (total > yardstick.p75).astype(np.int64) + (total > yardstick.p99)
    cause = np.where(late > 0, 1 + np.argmax(np.stack([excess[name] for name in _CAUSES]), axis=0), 0)
    created = pl.Series((start_ms + times.created) * 1000).cast(_INSTANT)
    return pl.DataFrame(
        {
            "order_id": order_ids(shuffled(seed, numbers), loop),
            "location_id": pl.repeat(location_id, len(numbers), dtype=pl.Int32, eager=True),
            "order_day": created.dt.date(),
            "created_ts": created,
            "delivered_ts": pl.Series((start_ms + times.delivered) * 1000).cast(_INSTANT),
            "total_minutes": total,
            **{f"{name}_minutes": minutes for name, minutes in stages.items()},
            **{f"{name}_delay_minutes": minutes for name, minutes in excess.items()},
            "p50_minutes": np.full(len(total), yardstick.p50),
            "p75_minutes": np.full(len(total), yardstick.p75),
            "p99_minutes": np.full(len(total), yardstick.p99),
            "lateness": pl.Series(["on_time", "late", "very_late"]).gather(late),
            "true_cause": pl.Series(["none", *_CAUSES]).gather(cause),
            "incident": _names(incidents, times.incident),
            "late_minutes": np.maximum(total - yardstick.p75, 0.0),
            "order_total": money(basket_cents(shelf, orders.lines)),
        }
    )


def _names(incidents: Sequence[Incident], index: Ints) -> pl.Series:
    names = pl.Series([None, *(incident.name for incident in incidents)], dtype=pl.String)
    return names.gather(index + 1)


def money(cents: Ints | list[int]) -> pl.Series:
    """Cents as Decimal(18, 2) dollars, exactly."""
    cent = pl.col("cents")
    dollars = pl.format("{}.{}", cent // 100, (cent % 100).cast(pl.String).str.zfill(2))
    frame = pl.Series(cents, dtype=pl.Int64).to_frame("cents")
    return frame.select(dollars.cast(pl.Decimal(18, 2))).to_series()
