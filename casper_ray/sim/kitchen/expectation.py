"""How many orders a window is expected to bring, without generating any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from casper_ray.domain.time import US_PER_DAY
from casper_ray.sim.kitchen.demand import MINUTES_PER_DAY, minute_orders, usual_orders
from casper_ray.sim.kitchen.incidents import Incident
from casper_ray.sim.kitchen.places import Location

EVENTS_AN_ORDER = 13.6
"""In the mean; most of them are pings."""

_MINUTE_US = US_PER_DAY // MINUTES_PER_DAY


def expected_orders(
    location: Location, incidents: Sequence[Incident], days: int, epoch: datetime, from_us: int, to_us: int
) -> float:
    """Expected orders of a location in [from_us, to_us), counted from day 0; the dataset loops."""
    from_us = max(from_us, 0)
    if to_us <= from_us:
        return 0.0
    first, last = from_us // US_PER_DAY, (to_us - 1) // US_PER_DAY
    told = {d % days for d in (first, last)}
    moving = [incident for incident in incidents if incident.demand_factor != 1.0]
    told |= {day for incident in moving for day in range(incident.days[0], min(incident.days[1] + 4, days))}
    daily = usual_orders(location, np.arange(days), epoch)
    minutes = {day: minute_orders(location, moving, day, epoch) for day in told}
    for day, orders in minutes.items():
        daily[day] = orders.sum()
    whole = float(daily.sum()) * ((last + 1) // days - first // days)
    whole += float(daily[: (last + 1) % days].sum() - daily[: first % days].sum())
    before = _until(minutes[first % days], from_us - first * US_PER_DAY)
    after = daily[last % days] - _until(minutes[last % days], to_us - last * US_PER_DAY)
    return float(whole - before - after)


def _until(minutes: np.ndarray[tuple[int, ...], np.dtype[np.float64]], us: int) -> float:
    """Orders of a day expected in its first `us` microseconds."""
    minute, rest = divmod(us, _MINUTE_US)
    part = minutes[minute] * rest / _MINUTE_US if rest else 0.0
    return float(minutes[:minute].sum() + part)
