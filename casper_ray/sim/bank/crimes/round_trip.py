"""Round trip: money leaves and comes back from elsewhere as if it were earned."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import arrivals, transfers
from casper_ray.sim.bank.crimes.moments import DAY_MS, later, on_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows, together
from casper_ray.sim.bank.streams import Ints

ROUNDS = (2, 4)
SUMS_EUR = (120.0, 600.0)
GAP_DAYS = (2, 6)
BACK_H = (20.0, 120.0)
MARGIN = 0.1


def crime(cast: Cast) -> Rows:
    """Two to four times a customer pays an account at another bank, and days later about as much, less a
    margin, comes from a different account that is another front of the same people.
    """
    out, back = cast.strangers(1), cast.strangers(1)
    return _rounds(cast, out, back, keeps=(0.05, 0.15), back_h=BACK_H)


def twin(cast: Cast) -> Rows:
    """A customer lends a friend money, two to four times, and gets it back: from the friend, or as often from
    somebody who pays in the friend's place.
    """
    friend = cast.strangers(1)
    payer = friend if cast.odds(0.6) else cast.strangers(1)
    return _rounds(cast, friend, payer, keeps=(-0.02, 0.3), back_h=(30.0, 300.0))


def _rounds(
    cast: Cast, out: Ints, back: Ints, keeps: tuple[float, float], back_h: tuple[float, float]
) -> Rows:
    who, count = cast.people(1), cast.number(ROUNDS)
    gaps = cast.chance.integers(GAP_DAYS[0], GAP_DAYS[1] + 1, count)
    sent = on_days(cast.chance, cast.begin_day + np.cumsum(gaps) - gaps[0], count, night=0.03)
    returned = np.maximum(later(cast.chance, sent, *back_h), sent + DAY_MS // 2)
    cents = cast.sums(who, SUMS_EUR, count)
    kept = cast.uniform(keeps, count)
    return together(
        [
            transfers(who, out, sent, cents),
            arrivals(who, back, returned, (cents * (1 - kept)).astype("i8")),
        ]
    )


PATTERN = Pattern(
    name="round_trip",
    title="Round trip",
    figures="2-4 rounds of 120-600 EUR (scaled), back after 20-120 h from another account, margin about 0.1",
    source="margin: AMLSim; the rest ours",
    weight=1.0,
    rows_expected=6.0,
    span_days=34,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="a loan to a friend",
)
