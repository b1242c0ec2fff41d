"""Cycle: money goes round and comes back to where it started."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import transfers
from casper_ray.sim.bank.crimes.flows import chain
from casper_ray.sim.bank.crimes.moments import hops, on_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.parties import own
from casper_ray.sim.bank.rows import Rows

MEMBERS = (5, 10)
SUMS_EUR = (100.0, 200.0)
DAYS = (5, 20)
WAITS_H = (4.0, 72.0)
MARGIN = 0.1


def crime(cast: Cast) -> Rows:
    """Five to ten customers pass a sum from one to the next, each less a margin, until it is back with the
    first one.
    """
    ring = cast.people(cast.number(MEMBERS))
    at = hops(cast.chance, on_days(cast.chance, cast.begin_day, 1), len(ring), *WAITS_H)
    sum_cents = int(cast.sums(ring, SUMS_EUR, len(ring)).max())
    return chain(ring, at, sum_cents, MARGIN, end=own(ring.customer[:1]))


def twin(cast: Cast) -> Rows:
    """Flatmates and friends settle round: each pays the next one's rent or bill of the month, a similar sum,
    in no order of time.
    """
    ring = cast.people(cast.number(MEMBERS))
    days = cast.begin_day + cast.chance.integers(0, cast.number(DAYS), len(ring))
    days[0] = cast.begin_day
    at = on_days(cast.chance, days, len(ring))
    return transfers(ring, own(np.roll(ring.customer, -1)), at, cast.sums(ring, SUMS_EUR, len(ring)))


PATTERN = Pattern(
    name="cycle",
    title="Cycle",
    figures="5-10 members, 100-200 EUR (scaled to the members' habits), 4-72 h a hop, margin 0.1 a hop",
    source="AMLSim; waits ours, so that it takes about its 5-20 days",
    weight=1.0,
    rows_expected=7.5,
    span_days=32,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="flatmates settle round",
)
