"""Smurfing: many hands pay in small cash, and it runs together."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast, some
from casper_ray.sim.bank.crimes.deeds import deposits, transfers
from casper_ray.sim.bank.crimes.moments import later, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.parties import own
from casper_ray.sim.bank.rows import Rows, together

SMURFS = (3, 6)
TIMES = (2, 3)
SUMS_EUR = (250.0, 900.0)
DAYS = (2, 8)
MARGIN = 0.1


def crime(cast: Cast) -> Rows:
    """Three to six customers each pay in modest cash two or three times within days, and soon send it all to
    the same customer, less a margin.
    """
    return _through(cast, DAYS, waits_h=(1, 30), keeps=(MARGIN, MARGIN))


def twin(cast: Cast) -> Rows:
    """Stallholders of a fair pay in their takings at the weekend and after, and later pay their part of the
    ground's rent to the one who runs it.
    """
    return _through(cast, (DAYS[0] + 2, DAYS[1] + 5), waits_h=(12, 120), keeps=(0.1, 0.8))


def _through(
    cast: Cast, days: tuple[int, int], waits_h: tuple[float, float], keeps: tuple[float, float]
) -> Rows:
    collector, smurfs = cast.people(1), cast.people(cast.number(SMURFS))
    times = cast.chance.integers(TIMES[0], TIMES[1] + 1, len(smurfs))
    each = np.repeat(np.arange(len(smurfs)), times)
    at = cast.chance.permutation(over_days(cast.chance, cast.begin_day, cast.number(days), len(each)))
    cents = cast.sums(some(smurfs, each), SUMS_EUR, len(each))
    held = np.bincount(each, cents) * (1 - cast.uniform(keeps, len(smurfs)))
    latest = np.zeros(len(smurfs), dtype=np.int64)
    np.maximum.at(latest, each, at)
    machines = cast.machines(smurfs.city[each], len(each))
    on = later(cast.chance, latest, *waits_h)
    return together(
        [
            deposits(cast.estate, some(smurfs, each), machines, at, cents),
            transfers(smurfs, own(collector.customer), on, held.astype("i8")),
        ]
    )


PATTERN = Pattern(
    name="smurfing",
    title="Smurfing",
    figures="3-6 customers, 2-3 cash deposits of 250-900 EUR each within 2-8 days, sent on within 30 h, margin 0.1",
    source="SAML-D names it (932 of 9,873 suspicious); figures ours",
    weight=0.8,
    rows_expected=16.5,
    span_days=20,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="stallholders of a fair",
)
