"""What of a day's intents happens: each row in turn against blocks, compliance, the day's limits and the money there.

Customers whose day meets no hindrance, most of them, are settled all at once. The others go row by row: the first row
of every customer, then the second, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from casper_ray.sim.bank.actions import Rules
from casper_ray.sim.bank.parties import VARIANTS, PartyKind, bodies, kinds
from casper_ray.sim.bank.rates import UNIT, in_base
from casper_ray.sim.bank.rows import CREDIT, NONE, Kind, Result, Rows
from casper_ray.sim.bank.streams import Ints, Salt, unit
from casper_ray.sim.bank.transfers import Reason

FALSE_ALARM = {
    Kind.PURCHASE: 0.0004,
    Kind.WITHDRAWAL: 0.0002,
    Kind.TRANSFER_OUT: 0.0008,
    Kind.TRANSFER_IN: 0.0008,
}
"""Share of transactions that compliance refuses without good reason."""
LEAST_CENTS = 100
"""A share of what is there comes to nothing below this."""
_NOTE_CENTS = 1_000
_CARD, _ATM, _WIRE, _FREE = range(4)


class Accounts(NamedTuple):
    """Of a shard's customers: current accounts' balances, and what is owed on card accounts; cents."""

    balance: Ints
    owed: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day's rows in columns. place: of the customer in the shard; group: which limit a row counts against."""

    place: Ints
    base: Ints
    group: Ints
    to_balance: Ints
    to_owed: Ints
    limit: Ints
    credit: Ints
    overdraft: Ints


def settle(
    seed: int,
    rows: Rows,
    reverses: Ints,
    rules: Rules,
    accounts: Accounts,
    first_customer: int,
    overdraft: Ints,
    gone: NDArray[np.bool_],
    rates: Ints,
) -> Accounts:
    """Settle a shard's day in place: `result` of every row, and amounts of those that take a share.

    rows      sorted by (customer, ms)
    reverses  of a reversal the place of what it reverses, else NONE
    accounts  at the day's opening; left as they are
    overdraft, gone  by place in the shard
    Returns:  the accounts at the day's end.
    """
    place = rows["customer"].astype(np.int64) - first_customer
    result = _without_money(seed, rows, rules, gone[place])
    day = _columns(rows, place, result, rules, overdraft[place])
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    hindered = _hindered(rows, day, accounts, starts, result) | (_lost_original(reverses, result))
    slow = np.zeros(len(gone), dtype=bool)
    slow[place[hindered]] = True
    balance = accounts.balance + _sums(place, np.where(slow[place], 0, day.to_balance), len(gone))
    owed = accounts.owed + _sums(place, np.where(slow[place], 0, day.to_owed), len(gone))
    row_by_row = starts[slow[place[starts]]]
    rows["result"] = result
    if len(row_by_row):
        ends = np.append(starts, len(rows))[np.searchsorted(starts, row_by_row) + 1]
        _row_by_row(rows, day, reverses, row_by_row, ends - row_by_row, balance, owed, rates)
    return Accounts(balance, owed)


def _without_money(seed: int, rows: Rows, rules: Rules, gone: NDArray[np.bool_]) -> Ints:
    """What is decided before anybody looks at the money."""
    kind = rows["kind"]
    odds = np.zeros(len(Kind))
    odds[list(FALSE_ALARM)] = list(FALSE_ALARM.values())
    alarm = unit(seed, Salt.FALSE_ALARM, rows["number"]) < odds[kind]
    alarm &= rows["purpose"] != Reason.CARD_BILL
    alarm |= (kinds(rows["party"]) == PartyKind.LISTED) & (bodies(rows["party"]) % VARIANTS == 0)
    result = np.where(alarm, Result.COMPLIANCE, Result.APPROVED)
    refused = np.where(rows["insists"], Result.BLOCKED, Result.DID_NOT_HAPPEN)
    result = np.where(rules.blocked, refused, result)
    decided: Ints = np.where(gone, Result.DID_NOT_HAPPEN, result)
    return decided


def _columns(rows: Rows, place: Ints, result: Ints, rules: Rules, overdraft: Ints) -> _Day:
    kind, base, card = rows["kind"], rows["base_cents"], rows["instrument"] == CREDIT
    moved = np.where(result == Result.APPROVED, np.where(_leaves(kind), -base, base), 0)
    moved[kind == Kind.ENROLMENT] = 0
    groups = np.full(len(Kind), _FREE)
    groups[[Kind.PURCHASE, Kind.WITHDRAWAL, Kind.TRANSFER_OUT]] = (_CARD, _ATM, _WIRE)
    group = np.where(rows["purpose"] == Reason.CARD_BILL, _FREE, groups[kind])
    none = np.full(len(rows), np.iinfo(np.int64).max)
    limits = np.stack([rules.card, rules.atm, rules.wire, none])
    return _Day(
        place=place,
        base=base,
        group=group,
        to_balance=np.where(card, 0, moved),
        to_owed=np.where(card, -moved, 0),
        limit=limits[group, np.arange(len(rows))],
        credit=rules.credit,
        overdraft=overdraft,
    )


def _hindered(rows: Rows, day: _Day, accounts: Accounts, starts: Ints, result: Ints) -> NDArray[np.bool_]:
    """Rows that would not go through if all before them did, or that need to know what is there."""
    place, happens = day.place, result == Result.APPROVED
    balance = accounts.balance[place] + _running(day.to_balance, starts)
    owed = accounts.owed[place] + _running(day.to_owed, starts)
    hindered = (day.to_balance < 0) & (balance < -day.overdraft)
    hindered |= (day.to_owed > 0) & (owed > day.credit)
    for group in (_CARD, _ATM, _WIRE):
        spent = _running(np.where(happens & (day.group == group), day.base, 0), starts)
        hindered |= (day.group == group) & (spent > day.limit)
    hindered |= (rows["share"] != 0) | (rows["purpose"] == Reason.CARD_BILL)
    found: NDArray[np.bool_] = hindered & happens
    return found


def _lost_original(reverses: Ints, result: Ints) -> NDArray[np.bool_]:
    lost: NDArray[np.bool_] = (reverses != NONE) & (result[reverses] != Result.APPROVED)
    return lost


def _running(values: Ints, starts: Ints) -> Ints:
    """Sums up to each row within its customer."""
    total = np.cumsum(values)
    before = np.where(starts > 0, total[starts - 1], 0)
    lengths = np.diff(np.append(starts, len(values)))
    running: Ints = total - np.repeat(before, lengths)
    return running


def _sums(place: Ints, values: Ints, places: int) -> Ints:
    sums = np.zeros(places, dtype=np.int64)
    np.add.at(sums, place, values)
    return sums


def _row_by_row(
    rows: Rows, day: _Day, reverses: Ints, starts: Ints, lengths: Ints, balance: Ints, owed: Ints, rates: Ints
) -> None:
    """Settle the customers whose rows begin at `starts`; their accounts are moved in place."""
    used = np.zeros((len(starts), 4), dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    for rank in range(int(lengths[0])):
        count = int(np.searchsorted(-lengths, -rank, side="left"))
        _one_each(rows, day, reverses, starts[:count] + rank, used[:count], balance, owed, rates)


def _one_each(
    rows: Rows, day: _Day, reverses: Ints, at: Ints, used: Ints, balance: Ints, owed: Ints, rates: Ints
) -> None:
    """One row of each of several customers; `used`: what of the day's limits they have used, theirs in order."""
    place, group, who = day.place[at], day.group[at], np.arange(len(at))
    row = rows[at]
    card, kind = row["instrument"] == CREDIT, row["kind"]
    room = day.limit[at] - used[who, group]
    there, unused = balance[place], day.credit[at] - owed[place]
    base = _take_shares(row, room, there, unused, owed[place], rates)
    short = base > np.where(card, unused, there + day.overdraft[at])
    why = np.where(base > room, Result.LIMIT, np.where(short, Result.FUNDS, Result.APPROVED))
    why = np.where(
        _leaves(kind) & (why != Result.APPROVED), np.where(row["insists"], why, Result.DID_NOT_HAPPEN), 0
    )
    lost = (reverses[at] != NONE) & (rows["result"][reverses[at]] != Result.APPROVED)
    why = np.where(lost | ((base <= 0) & (kind != Kind.ENROLMENT)), Result.DID_NOT_HAPPEN, why)
    row["result"] = np.where(row["result"] == Result.APPROVED, why, row["result"])
    rows[at] = row
    moves = (row["result"] == Result.APPROVED) & (kind != Kind.ENROLMENT)
    moved = np.where(moves, np.where(_leaves(kind), -base, base), 0)
    balance[place] += np.where(card, 0, moved)
    owed[place] -= np.where(card, moved, 0)
    used[who, group] += np.where(moves & (group != _FREE), base, 0)


def _take_shares(row: Rows, room: Ints, there: Ints, unused: Ints, owed: Ints, rates: Ints) -> Ints:
    """The amounts in the base currency. Those that depend on what is there are set now.

    Rules: a share above 0 is of the balance, below 0 of the credit that is left; no more than the day's limit leaves,
           unless it insists; in whole notes at a machine. A card account's bill is what is owed, if it is there.
    """
    share, currency = row["share"].astype(np.float64), row["currency"].astype(np.int64)
    of = np.where(share > 0, np.maximum(there, 0), np.maximum(unused, 0))
    wanted = (of * np.abs(share)).astype(np.int64)
    wanted = np.where(row["insists"], wanted, np.minimum(wanted, room))
    bill = row["purpose"] == Reason.CARD_BILL
    wanted = np.where(bill, np.minimum(owed, np.maximum(there, 0)), wanted)
    cents = wanted * UNIT // rates[currency]
    cents = np.where(row["kind"] == Kind.WITHDRAWAL, cents // _NOTE_CENTS * _NOTE_CENTS, cents)
    cents[wanted < LEAST_CENTS] = 0
    taken = bill | (share != 0)
    row["cents"] = np.where(taken, cents, row["cents"])
    row["base_cents"] = np.where(taken, in_base(cents, currency, rates), row["base_cents"])
    base: Ints = row["base_cents"]
    return base


def _leaves(kind: Ints) -> NDArray[np.bool_]:
    """Whether money leaves the customer by rows of these kinds."""
    leaves: NDArray[np.bool_] = np.isin(kind, (Kind.PURCHASE, Kind.WITHDRAWAL, Kind.TRANSFER_OUT))
    return leaves
