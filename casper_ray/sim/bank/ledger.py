"""What a day leaves to the next one: accounts, transfers on their way, refunds and chargebacks to come.

A transfer between customers is on the payee's account at the next day's opening, so within a day no customer waits
for another, and the shards of a day can be settled in any order. A day needs all shards of the day before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casper_ray.sim.bank.actions import Action, Rules, apply_actions
from casper_ray.sim.bank.follow_ups import Disputes, later_follow_ups, revalued, with_reversals
from casper_ray.sim.bank.habits import leaves_on
from casper_ray.sim.bank.parties import bodies, is_own
from casper_ray.sim.bank.people import People
from casper_ray.sim.bank.rows import DEBIT, NONE, Kind, Result, Rows, together
from casper_ray.sim.bank.settle import Accounts, settle
from casper_ray.sim.bank.streams import Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a day leaves to the next one.

    accounts       one a shard, before the transfers below
    payees, cents  accounts of ours (bodies of parties) that get money at the next opening, and how much
    due            refunds and chargebacks of later days, sorted by (day, customer)
    """

    accounts: tuple[Accounts, ...]
    payees: Ints
    cents: Ints
    due: Rows

    def estimated_bytes(self) -> int:
        held = sum(shard.balance.nbytes + shard.owed.nbytes for shard in self.accounts)
        return held + self.payees.nbytes + self.cents.nbytes + self.due.nbytes + 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardDay:
    """What of a shard's intents happened, sorted by (customer, ms, number), and the accounts afterwards."""

    rows: Rows
    accounts: Accounts


def opened(people: People) -> Accounts:
    """A shard's accounts before day 0."""
    return Accounts(people.opening_cents.copy(), np.zeros(len(people), dtype=np.int64))


def opening(accounts: Accounts, first_customer: int, payees: Ints, cents: Ints) -> Accounts:
    """A shard's accounts at a day's opening, once the transfers of the day before have come."""
    place = (payees >> 1) - first_customer
    here = (place >= 0) & (place < len(accounts.balance))
    debit = payees & 1 == DEBIT
    balance, owed = accounts.balance.copy(), accounts.owed.copy()
    np.add.at(balance, place[here & debit], cents[here & debit])
    np.subtract.at(owed, place[here & ~debit], cents[here & ~debit])
    return Accounts(balance, owed)


def settle_shard(
    seed: int,
    day: int,
    day_start_us: int,
    intents: Rows,
    due: Rows,
    people: People,
    accounts: Accounts,
    actions: tuple[Action, ...],
    rates: Ints,
) -> ShardDay:
    """A shard's day: what happens of the intents and of the refunds and chargebacks that are due."""
    rows, reversed_ = with_reversals(seed, together([intents, revalued(due.copy(), rates)]))
    order = np.lexsort((rows["number"], rows["ms"], rows["customer"]))
    place_of = np.empty(len(rows), dtype=np.int64)
    place_of[order] = np.arange(len(rows))
    reverses = np.full(len(rows), NONE, dtype=np.int64)
    reverses[place_of[len(rows) - len(reversed_) :]] = place_of[reversed_]
    rows = rows[order]
    first = int(people.customer[0])
    rules = _rules(people, rows["customer"].astype(np.int64) - first)
    apply_actions(rules, actions, rows, day_start_us)
    gone = leaves_on(seed, people.customer) <= day
    after = settle(seed, rows, reverses, rules, accounts, first, people.overdraft_cents, gone, rates)
    return ShardDay(rows=rows[rows["result"] != Result.DID_NOT_HAPPEN], accounts=after)


def carried(seed: int, day: int, days: int, shards: list[ShardDay], due: Rows, disputes: Disputes) -> Carried:
    """What a settled day leaves. `due`: what was to come before it. Nothing comes after the last day."""
    arriving = [_between_customers(shard.rows) for shard in shards]
    later = together([due[due["day"] > day], *(later_follow_ups(seed, s.rows, disputes) for s in shards)])
    later = later[later["day"] < days]
    return Carried(
        accounts=tuple(shard.accounts for shard in shards),
        payees=np.concatenate([payees for payees, _ in arriving]),
        cents=np.concatenate([cents for _, cents in arriving]),
        due=later[np.lexsort((later["number"], later["customer"], later["day"]))],
    )


def due_on(due: Rows, day: int, first_customer: int, customers: int) -> Rows:
    """Of what is to come, a shard's part of a day."""
    start, end = np.searchsorted(due["day"], [day, day + 1])
    today = due[start:end]
    first, last = np.searchsorted(today["customer"], [first_customer, first_customer + customers])
    return today[first:last]


def _between_customers(rows: Rows) -> tuple[Ints, Ints]:
    sent = rows[
        (rows["kind"] == Kind.TRANSFER_OUT) & (rows["result"] == Result.APPROVED) & is_own(rows["party"])
    ]
    return bodies(sent["party"]), sent["base_cents"].copy()


def _rules(people: People, place: Ints) -> Rules:
    return Rules(
        blocked=np.zeros(len(place), dtype=bool),
        card=people.limit_card_cents[place],
        atm=people.limit_atm_cents[place],
        wire=people.limit_wire_cents[place],
        credit=people.credit_limit_cents[place],
    )
