"""Authorised push payment scam: the customer is talked into paying a stranger."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import transfers
from casper_ray.sim.bank.crimes.moments import hops, on_days
from casper_ray.sim.bank.crimes.pattern import Pattern
from casper_ray.sim.bank.rows import Rows

PURCHASE_SCAMS = 0.65
PAID_EUR = (60.0, 400.0)
PAYMENTS = (2, 4)
SHARE = (0.1, 0.5)


def crime(cast: Cast) -> Rows:
    """Two times in three a customer pays in advance for goods that do not exist, once. Else somebody who
    pretends to be the bank or the police makes the customer send a good part of what is there, in two to four
    payments within hours. The device is the customer's own.
    """
    who = cast.people(1)
    first = on_days(cast.chance, cast.begin_day, 1, night=0.05)
    if cast.odds(PURCHASE_SCAMS):
        return transfers(who, cast.strangers(1), first, cast.sums(who, PAID_EUR, 1))
    at = hops(cast.chance, first, cast.number(PAYMENTS), 0.2, 8)
    shares = cast.uniform(SHARE, len(at)) * (np.arange(len(at)) > 0)
    cents = np.where(shares > 0, 0, cast.sums(who, PAID_EUR, len(at)))
    return transfers(who, cast.strangers(1), at, cents, share=shares)


def twin(cast: Cast) -> Rows:
    """A customer pays somebody new for something real: a tradesman in two or three instalments, a used
    bicycle, the deposit of a flat.
    """
    who = cast.people(1)
    first = on_days(cast.chance, cast.begin_day, 1, night=0.05)
    if cast.odds(0.6):
        return transfers(who, cast.strangers(1), first, cast.sums(who, (50, 380), 1))
    at = hops(cast.chance, first, cast.number((2, 3)), 2, 120)
    shares = cast.uniform((0.05, 0.4), len(at)) * (cast.chance.random(len(at)) < 0.5)
    cents = np.where(shares > 0, 0, cast.sums(who, (50, 380), len(at)))
    return transfers(who, cast.strangers(1), at, cents, share=shares)


PATTERN = Pattern(
    name="app_scam",
    title="Authorised push payment scam",
    figures="65 %: one payment of 60-400 EUR (scaled); else 2-4 within hours, each 10-50 % of what is there",
    source="UK Finance 2018 (purchase scams: almost two thirds of cases); sums ours",
    weight=4.0,
    rows_expected=1.7,
    span_days=12,
    right_decision="hold",
    agent="fraud",
    crime=crime,
    twin=twin,
    twin_name="a tradesman or a used bicycle",
)
