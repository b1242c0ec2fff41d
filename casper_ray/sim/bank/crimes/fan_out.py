"""Fan-out: a sum that came in is spread over many accounts."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import arrivals, transfers
from casper_ray.sim.bank.crimes.flows import payees, scatter
from casper_ray.sim.bank.crimes.moments import later, on_days, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows, together

PAYEES = (5, 10)
SUMS_EUR = (100.0, 200.0)
DAYS = (5, 12)
MARGIN = 0.1
HELPERS = (3, 5)
WAGES_EUR = (90.0, 210.0)


def crime(cast: Cast) -> Rows:
    """A sum comes from another bank and is passed on over days to five to ten people who have nothing to do
    with each other; the holder keeps a margin.
    """
    hub = cast.people(1)
    cents = cast.sums(hub, SUMS_EUR, cast.number(PAYEES))
    at = over_days(cast.chance, cast.begin_day, cast.number(DAYS), len(cents), night=0.1)
    came = arrivals(hub, cast.strangers(1), at[:1], (cents.sum() / (1 - MARGIN)).astype("i8"))
    return together([came, scatter(cast, hub, at + later(cast.chance, 0, 0.3, 12)[0], cents)])


def twin(cast: Cast) -> Rows:
    """A small employer, whose takings come in, pays wages to a few helpers, and a fortnight later to the same ones
    again.
    """
    hub, helpers = cast.people(1), payees(cast, cast.number(HELPERS))
    cents = cast.sums(hub, WAGES_EUR, len(helpers))
    came = arrivals(
        hub, cast.strangers(1), on_days(cast.chance, cast.begin_day, 1), (cents.sum() * 1.2).astype("i8")
    )
    rounds = [came]
    for payday in cast.begin_day + cast.number((1, 6)) + np.array([0, 14]):
        at = on_days(cast.chance, payday + cast.chance.choice([0, 0, 0, 1], len(helpers)), len(helpers))
        rounds.append(transfers(hub, helpers, at, cents))
    return together(rounds)


PATTERN = Pattern(
    name="fan_out",
    title="Fan-out",
    figures="5-10 payees, 100-200 EUR each (scaled to the payer's habits), over 5-12 days (AMLSim: 5-20), margin 0.1",
    source="AMLSim",
    weight=1.0,
    rows_expected=8.5,
    span_days=24,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="wages of a small employer",
)
