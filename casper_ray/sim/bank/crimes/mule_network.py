"""Mule network with takeover: accounts are taken over, drained to recruited mules, and turned into cash."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast, some
from casper_ray.sim.bank.crimes.deeds import enrolment, transfers, withdrawals
from casper_ray.sim.bank.crimes.moments import DAY_MS, later, on_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.parties import own
from casper_ray.sim.bank.people import People
from casper_ray.sim.bank.rows import Rows, together
from casper_ray.sim.bank.streams import Ints

VICTIMS = (2, 3)
MULES = (2, 4)
SUMS_EUR = (100.0, 450.0)
DRAWN_EUR = (60.0, 300.0)
WAITS_H = (0.2, 5.0)
CASH_H = (0.2, 5.0)


def crime(cast: Cast) -> Rows:
    """With one device of theirs a ring takes over two or three customers, sends their money to two to four
    customers who lend their accounts, and those draw cash at once and send the rest abroad.
    """
    victims, mules = cast.people(cast.number(VICTIMS)), cast.people(cast.number(MULES))
    device = cast.device()
    days = cast.begin_day + cast.chance.integers(0, 3, len(victims))
    enrolled = on_days(cast.chance, days, len(victims), night=0.25)
    sent, at = _handed_on(cast, victims, mules, enrolled, device, WAITS_H)
    cash, on = _used(cast, mules, at, CASH_H, rest=(0.5, 0.9))
    return together([enrolment(victims, device, enrolled), sent, cash, on])


def twin(cast: Cast) -> Rows:
    """Two or three members of a family enrol a tablet that they share and send money to children who study
    elsewhere, who draw some of it and pay their rent.
    """
    parents, children = cast.people(cast.number(VICTIMS)), cast.people(cast.number(MULES))
    device = cast.device()
    days = cast.begin_day + cast.chance.integers(0, 5, len(parents))
    enrolled = on_days(cast.chance, days, len(parents), night=0.15)
    sent, at = _handed_on(cast, parents, children, enrolled, device, (1.0, 70.0))
    cash, on = _used(cast, children, at, (1.0, 60.0), rest=(0.2, 0.7))
    return together([enrolment(parents, device, enrolled), sent, cash, on])


def _handed_on(
    cast: Cast, payers: People, takers: People, enrolled: Ints, device: int, waits_h: tuple[float, float]
) -> tuple[Rows, Ints]:
    """Two payments of each payer to takers, at least one each; and when each taker is first paid."""
    count = max(2 * len(payers), len(takers))
    giver = np.arange(count) % len(payers)
    taker = cast.chance.permutation(np.arange(count) % len(takers))
    at = later(cast.chance, enrolled[giver], *waits_h)
    who = some(payers, giver)
    rows = transfers(who, own(takers.customer[taker]), at, cast.sums(who, SUMS_EUR, count), device=device)
    paid = np.full(len(takers), np.iinfo(np.int64).max)
    np.minimum.at(paid, taker, at)
    return rows, paid


def _used(
    cast: Cast, who: People, paid: Ints, waits_h: tuple[float, float], rest: tuple[float, float]
) -> tuple[Rows, Rows]:
    """Cash drawn by everybody, and a share of what is left sent to other banks by about half."""
    cash_at = later(cast.chance, paid, *waits_h)
    sums = cast.sums(who, DRAWN_EUR, len(who))
    cash = withdrawals(cast.estate, who, cast.machines(who.city, len(who)), cash_at, sums)
    sends = np.flatnonzero(cast.chance.random(len(who)) < 0.5)
    at = np.minimum(later(cast.chance, cash_at[sends], *waits_h), cash_at[sends] + 2 * DAY_MS)
    shares = cast.uniform(rest, len(sends))
    return cash, transfers(some(who, sends), cast.strangers(len(sends)), at, share=shares)


PATTERN = Pattern(
    name="mule_network",
    title="Mule network with takeover",
    figures="2-3 victims, 1 device, 2-4 mules, 100-450 EUR each (scaled), cash within 5 h",
    source="PaySim (takeover, fresh mules, cash out at once); group sizes ours",
    weight=1.0,
    rows_expected=9.5,
    span_days=14,
    right_decision="block",
    agent="fraud",
    crime=crime,
    twin=twin,
    twin_name="a family's tablet and its students",
)
