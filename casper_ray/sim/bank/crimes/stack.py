"""Stack: layers of accounts, each layer paying the next one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast, some
from casper_ray.sim.bank.crimes.deeds import arrivals, transfers
from casper_ray.sim.bank.crimes.flows import between
from casper_ray.sim.bank.crimes.moments import later, on_days, over_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.parties import own
from casper_ray.sim.bank.rows import Rows, together
from casper_ray.sim.bank.streams import Ints

LAYERS = 3
WIDTH = (2, 4)
EACH = (1, 2)
SUMS_EUR = (200.0, 400.0)
DAYS = (2, 7)
MARGIN = 0.1
WAITS_H = (1.0, 40.0)
BILLS_EUR = (90.0, 210.0)
TAKINGS_EUR = (180.0, 400.0)


def crime(cast: Cast) -> Rows:
    """Money comes from elsewhere to two to four customers and runs through three layers of as many: whoever has
    been paid pays the next layer within hours, less a margin, so that the first and the last never meet.
    """
    layers = [cast.people(cast.number(WIDTH)) for _ in range(LAYERS + 1)]
    first = len(layers[0])
    got = cast.chance.permutation(over_days(cast.chance, cast.begin_day, cast.number(DAYS), first))
    held = cast.sums(layers[0], SUMS_EUR, first)
    paid = [arrivals(layers[0], cast.strangers(first), got, held)]
    for payers, takers in pairwise(layers):
        pairs = between(cast, len(payers), len(takers), EACH)
        cents = _passed_on(pairs.giver, held)
        at = later(cast.chance, got[pairs.giver], *WAITS_H)
        paid.append(transfers(some(payers, pairs.giver), own(takers.customer[pairs.taker]), at, cents))
        got, held = np.zeros(len(takers), dtype=np.int64), np.zeros(len(takers), dtype=np.int64)
        np.maximum.at(got, pairs.taker, at)
        np.add.at(held, pairs.taker, cents)
    return together(paid)


def twin(cast: Cast) -> Rows:
    """A market's small trade: customers from elsewhere pay the stallholders, those their suppliers, those their
    growers, and those their helpers, all in the same weeks and each when a bill comes.
    """
    layers = [cast.people(cast.number(WIDTH)) for _ in range(LAYERS + 1)]
    stalls = len(layers[0])
    opened = on_days(cast.chance, cast.begin_day, stalls)
    paid = [arrivals(layers[0], cast.strangers(stalls), opened, cast.sums(layers[0], TAKINGS_EUR, stalls))]
    for payers, takers in pairwise(layers):
        pairs = between(cast, len(payers), len(takers), EACH)
        who = some(payers, pairs.giver)
        at = cast.chance.permutation(
            over_days(cast.chance, cast.begin_day, 2 * cast.number(DAYS), len(who), night=0.05)
        )
        cents = cast.sums(who, BILLS_EUR, len(who))
        paid.append(transfers(who, own(takers.customer[pairs.taker]), at, cents))
    return together(paid)


def _passed_on(giver: Ints, held: Ints) -> Ints:
    """What each payer got, less the margin, in equal parts."""
    each = held[giver] * (1 - MARGIN) / np.bincount(giver)[giver]
    return np.maximum(each, 100).astype(np.int64)


PATTERN = Pattern(
    name="stack",
    title="Stack",
    figures="3 layers of 2-4 accounts, 200-400 EUR each at first (scaled), on within 40 h, margin 0.1 a layer",
    source="AMLSim and SAML-D (stacked bipartite) name it; layer sizes ours",
    weight=0.5,
    rows_expected=17.75,
    span_days=22,
    right_decision="escalate",
    agent="alert",
    crime=crime,
    twin=twin,
    twin_name="stalls, suppliers and helpers",
)
