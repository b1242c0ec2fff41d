"""What people mean to draw and pay in at cash machines on a day."""

from __future__ import annotations

import numpy as np

from casper_ray.sim.bank.books import load_profiles
from casper_ray.sim.bank.hours import DAY, EVENING, instants
from casper_ray.sim.bank.rates import UNIT, in_base
from casper_ray.sim.bank.rows import DEBIT, Channel, Kind, Rows, together
from casper_ray.sim.bank.setting import Setting, city_currencies
from casper_ray.sim.bank.streams import Ints, Purpose

WITHDRAWALS_A_DAY = 0.085
DEPOSITS_A_DAY = 0.006
_NOTES = np.array([20, 30, 40, 50, 60, 80, 100, 120, 150, 200, 300, 400])
_NOTES_SHARE = np.array([10, 5, 10, 18, 6, 6, 20, 3, 8, 9, 3, 2]) / 100
_TRIES_ANYWAY = 0.2


def cash(at: Setting) -> Rows:
    """The day's withdrawals and deposits of a shard as intents. Amounts are whole notes of the place's money."""
    rng, people = at.rng(Purpose.CASH), at.people
    books = load_profiles()
    habit = np.array([band.cash for band in books.ages])[people.age]
    habit = habit * np.array([way.cash for way in books.urbanities])[people.urbanity]
    drawn = rng.poisson(np.where(at.here, WITHDRAWALS_A_DAY * habit * at.mood.cash, 0.0))
    paid_in = rng.poisson(np.where(at.here, DEPOSITS_A_DAY * habit, 0.0))
    out = np.repeat(np.arange(len(people)), drawn)
    into = np.repeat(np.arange(len(people)), paid_in)
    notes = _NOTES[rng.choice(len(_NOTES), len(out), p=_NOTES_SHARE)] * np.sqrt(at.mood.cash)
    income = np.array([band.amount for band in books.incomes])[people.income[out]]
    notes = np.maximum(notes * np.sqrt(income) / 10, 1).astype(np.int64) * 10
    deposits = np.maximum(rng.gamma(1.3, 200, len(into)) / 10, 1).astype(np.int64) * 10
    return together(
        [
            _rows(at, rng, out, Kind.WITHDRAWAL, notes, EVENING, rng.random(len(out)) < _TRIES_ANYWAY),
            _rows(at, rng, into, Kind.DEPOSIT, deposits, DAY, np.zeros(len(into), dtype=bool)),
        ]
    )


def _rows(
    at: Setting,
    rng: np.random.Generator,
    who: Ints,
    kind: Kind,
    euros: Ints,
    hours: int,
    insists: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Rows:
    city = at.city[who]
    machine = at.estate.machine(city, rng.random(len(who)))
    currency = city_currencies()[city]
    local = np.maximum(euros * UNIT // at.rates[currency] // 10, 1) * 10 * 100
    cents = np.where(currency == 0, euros * 100, local)
    return at.rows(
        who,
        ms=instants(np.full(len(who), hours), rng.random(len(who)), at.mood.later_hours),
        kind=kind,
        channel=Channel.ATM,
        instrument=DEBIT,
        atm=machine,
        currency=currency,
        cents=cents,
        base_cents=in_base(cents, currency, at.rates),
        lat=at.estate.atm_lat[machine],
        lon=at.estate.atm_lon[machine],
        insists=insists,
    )
