"""What people mean to transfer on a day, what employers pay, and what falls due: rent, bills, card accounts."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from casper_ray.sim.bank.habits import device_on
from casper_ray.sim.bank.hours import DAY, EVENING, MS_PER_HOUR, instants
from casper_ray.sim.bank.parties import firm, outside, own
from casper_ray.sim.bank.rows import CREDIT, DEBIT, NONE, Channel, Kind, Rows, together
from casper_ray.sim.bank.setting import Setting
from casper_ray.sim.bank.streams import Ints, Purpose, Salt, below, unit

TO_PEOPLE_A_DAY = 0.034
FROM_PEOPLE_A_DAY = 0.012
BILLS = 2
HAS_BILL = 0.85
SAVES = (0.15, 0.8)
"""Share of people who save by a standing transfer: of the lowest income, of the others."""
_SAVED_AT_LEAST = np.array([0.05, 0.12, 0.3, 0.5])  # of the salary, by income
_FRIENDS = 6
_OURS = 0.6


class Reason(IntEnum):
    """What a transfer says it is for; a crime's rows carry any of them."""

    NONE = 0
    SALARY = 1
    RENT = 2
    BILL = 3
    SAVINGS = 4
    PRIVATE = 5
    INVOICE = 6
    CARD_BILL = 7
    GIFT = 8
    LOAN = 9


def transfers(at: Setting) -> Rows:
    """The day's transfers of a shard as intents, as well as what a new device is enrolled for."""
    rng = at.rng(Purpose.TRANSFERS)
    return together([_salaries(at, rng), *_due(at, rng), *_private(at, rng), _enrolments(at)])


def _salaries(at: Setting, rng: np.random.Generator) -> Rows:
    """Pay, which stays away from a share of people while a shock costs them their work."""
    people = at.people
    employed = unit(at.seed, Salt.WORK, people.customer) >= at.mood.unemployment
    due = (people.salary_day == at.date.day) & (people.salary_cents > 0) & employed & at.here
    who = np.flatnonzero(due)
    cents = (people.salary_cents[who] * rng.normal(1.0, 0.02, len(who)).clip(0.9, 1.2)).astype(np.int64)
    party = people.employer[who]
    return _rows(at, who, Kind.TRANSFER_IN, cents, party, Reason.SALARY, _early(rng, who, 5, 9))


def _due(at: Setting, rng: np.random.Generator) -> list[Rows]:
    """Rent, standing transfers and the card account's bill, each on its day of the month."""
    people, day = at.people, at.date.day
    renters = np.flatnonzero((people.rent_day == day) & (people.rent_cents > 0) & at.here)
    rows = [
        _rows(
            at,
            renters,
            Kind.TRANSFER_OUT,
            people.rent_cents[renters],
            people.landlord[renters],
            Reason.RENT,
            _early(rng, renters, 6, 8),
        )
    ]
    rows += [_bills(at, rng, which) for which in range(BILLS)]
    rows.append(_savings(at, rng))
    billed = np.flatnonzero(people.has_credit & (people.customer % 28 + 1 == day) & at.here)
    nothing_yet = np.zeros(len(billed), dtype=np.int64)  # settlement knows what is owed
    rows.append(
        _rows(
            at,
            billed,
            Kind.TRANSFER_OUT,
            nothing_yet,
            own(people.customer[billed], CREDIT),
            Reason.CARD_BILL,
            _early(rng, billed, 9, 11),
        )
    )
    return rows


def _bills(at: Setting, rng: np.random.Generator, which: int) -> Rows:
    """A bill that most people have, alike every month; a few firms have most of the bills."""
    key = (at.people.customer * (BILLS + 1) + which) * 4
    has = unit(at.seed, Salt.STANDING, key) < HAS_BILL
    who = np.flatnonzero(has & (_day_of_month(at, key) == at.date.day) & at.here)
    cents = (2_500 + 9_000 * unit(at.seed, Salt.STANDING, key[who] + 2)).astype(np.int64)
    supplier = (unit(at.seed, Salt.STANDING, key[who] + 3) ** 3 * 400).astype(np.int64) + 2 * 10**9
    return _rows(at, who, Kind.TRANSFER_OUT, cents, firm(supplier), Reason.BILL, _early(rng, who, 6, 9))


def _savings(at: Setting, rng: np.random.Generator) -> Rows:
    """A part of the salary put aside at another bank: by most, but for those who earn least."""
    people = at.people
    key = (people.customer * (BILLS + 1) + BILLS) * 4
    saves = unit(at.seed, Salt.STANDING, key) < np.where(people.income == 0, SAVES[0], SAVES[1])
    due = saves & (people.salary_cents > 0) & (_day_of_month(at, key) == at.date.day) & at.here
    who = np.flatnonzero(due)
    share = _SAVED_AT_LEAST[people.income[who]] + 0.3 * unit(at.seed, Salt.STANDING, key[who] + 2)
    cents = (people.salary_cents[who] * share).astype(np.int64)
    payee = outside(people.customer[who] + 10**10)
    return _rows(at, who, Kind.TRANSFER_OUT, cents, payee, Reason.SAVINGS, _early(rng, who, 6, 9))


def _day_of_month(at: Setting, key: Ints) -> Ints:
    return 1 + below(at.seed, Salt.STANDING, key + 1, 28)


def _private(at: Setting, rng: np.random.Generator) -> list[Rows]:
    """Transfers to friends, among our customers and elsewhere, and from people elsewhere."""
    people = at.people
    out = np.repeat(np.arange(len(people)), rng.poisson(TO_PEOPLE_A_DAY * at.here, len(people)))
    into = np.repeat(np.arange(len(people)), rng.poisson(FROM_PEOPLE_A_DAY * at.here, len(people)))
    friend = (rng.random(len(out)) ** 2 * _FRIENDS).astype(np.int64)
    sender = (rng.random(len(into)) ** 2 * _FRIENDS).astype(np.int64)
    payee = _friends(at, out, friend)
    payer = outside(people.customer[into] * _FRIENDS + sender + 2 * 10**11)
    sent = _sums(rng, at, out)
    return [
        _rows(
            at,
            out,
            Kind.TRANSFER_OUT,
            sent,
            payee,
            Reason.PRIVATE,
            _awake(at, rng, out, EVENING),
            device=at.device[out],
            insists=rng.random(len(out)) < 0.1,
        ),
        _rows(
            at,
            into,
            Kind.TRANSFER_IN,
            _sums(rng, at, into),
            payer,
            Reason.PRIVATE,
            _awake(at, rng, into, DAY),
        ),
    ]


def _friends(at: Setting, who: Ints, friend: Ints) -> Ints:
    """A customer's friends: customers of ours for a part, never oneself."""
    customer = at.people.customer[who]
    key = customer * _FRIENDS + friend
    step = 1 + below(at.seed, Salt.FRIEND, key * 2, max(at.customers - 1, 1))
    ours = unit(at.seed, Salt.FRIEND, key * 2 + 1) < _OURS
    return np.where(ours, own((customer + step) % at.customers), outside(key + 3 * 10**11))


def _sums(rng: np.random.Generator, at: Setting, who: Ints) -> Ints:
    """Amounts of private transfers, many of them round."""
    cents = np.maximum(rng.gamma(0.8, 110, len(who)) * at.people.mean_cents[who] / 32, 500)
    return np.where(rng.random(len(who)) < 0.6, cents // 500 * 500, cents).astype(np.int64)


def _enrolments(at: Setting) -> Rows:
    """New devices on their first day."""
    if at.day == 0:
        return together([])
    changed = at.device != device_on(at.seed, at.people, at.day - 1)
    who = np.flatnonzero(changed & at.here)
    rows = at.rows(who, kind=Kind.ENROLMENT, channel=Channel.ONLINE, device=at.device[who])
    rows["ms"] = enrolled_ms(at.seed, at.people.customer[who], at.day)
    return rows


def enrolled_ms(seed: int, customers: Ints, day: int) -> Ints:
    """When a customer's own new device is enrolled: before the day's first use of it."""
    return below(seed, Salt.CHANGE, customers * 16_384 + day, 10 * 60_000)


def _early(rng: np.random.Generator, who: Ints, start: int, end: int) -> Ints:
    return rng.integers(start * MS_PER_HOUR, end * MS_PER_HOUR, len(who))


def _awake(at: Setting, rng: np.random.Generator, who: Ints, hours: int) -> Ints:
    return instants(np.full(len(who), hours), rng.random(len(who)), at.mood.later_hours)


def _rows(
    at: Setting,
    who: Ints,
    kind: Kind,
    cents: Ints,
    party: Ints,
    reason: Reason,
    ms: Ints,
    device: Ints | int = NONE,
    insists: np.ndarray[tuple[int], np.dtype[np.bool_]] | bool = False,
) -> Rows:
    return at.rows(
        who,
        ms=ms,
        entered_ms=ms,
        kind=kind,
        channel=Channel.WIRE,
        instrument=DEBIT,
        cents=cents,
        base_cents=cents,
        party=party,
        purpose=int(reason),
        device=device,
        insists=insists,
    )
