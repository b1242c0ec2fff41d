"""What a process has made of a world: its estate, its cases, its days. Nothing here travels.

Days are settled in order, all shards of one after all of the one before. What each day leaves is kept, so that a day
is settled from the nearest earlier one that is held. Days before an action are the same days with it and without, and
are kept once.

Cost: a process that is asked for a late day settles every day before it once: about 10 ms for 5,000 customers and a
day, so 15 s for a week of a million customers. What is kept of a day is 16 bytes a customer, and about 100 bytes for
each refund and chargeback to come and each transaction, the latter for a few days only.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from functools import cached_property

import numpy as np

from casper_ray.domain.time import US_PER_DAY, sim_micros
from casper_ray.sim.bank.actions import Action, actions_digests
from casper_ray.sim.bank.cases import CaseBook, disputes
from casper_ray.sim.bank.cash import cash
from casper_ray.sim.bank.crimes.deck import deal
from casper_ray.sim.bank.estate import Estate, estate
from casper_ray.sim.bank.expectation import expected_transactions
from casper_ray.sim.bank.ledger import Carried, carried, due_on, opened, opening, settle_shard
from casper_ray.sim.bank.numbers import first_number
from casper_ray.sim.bank.people import People, people
from casper_ray.sim.bank.purchases import purchases
from casper_ray.sim.bank.rates import rate_table
from casper_ray.sim.bank.rows import Rows, together
from casper_ray.sim.bank.scenario import BankScenario
from casper_ray.sim.bank.setting import build_setting
from casper_ray.sim.bank.streams import Ints
from casper_ray.sim.bank.transfers import transfers
from casper_ray.sim.cache import BoundedCache

_MB = 1_000_000
_PEOPLE: BoundedCache[People] = BoundedCache(300 * _MB, lambda found: 220 * len(found))
_CARRIED: BoundedCache[Carried] = BoundedCache(300 * _MB, Carried.estimated_bytes)
_SETTLED: BoundedCache[Rows] = BoundedCache(900 * _MB, lambda rows: int(rows.nbytes) + 1_000)
"""Three days of a million customers: what a day's windows hold reaches into them from the day before, too, and a day
that was forgotten takes ten seconds to settle again.
"""


_BOOKS: BoundedCache[CaseBook] = BoundedCache(4, lambda _: 1)


class Engine:
    """One world's days, under the actions of that world."""

    def __init__(
        self,
        scenario: BankScenario,
        seed: int,
        days: int,
        epoch: datetime,
        actions: tuple[Action, ...],
        root: str,
    ) -> None:
        self.scenario, self.seed, self.days = scenario, seed, days
        self.epoch, self.actions = epoch, actions
        self.start_us = int(sim_micros(epoch))
        self._root = root
        self._instants = [action.at_us for action in actions]
        self._digests = actions_digests(actions)

    @cached_property
    def estate(self) -> Estate:
        return estate(self.seed, self.scenario.customers)

    @cached_property
    def rates(self) -> Ints:
        return rate_table(self.seed, self.days)

    @cached_property
    def cases(self) -> CaseBook:
        return _BOOKS.get(self._root, self._case_book)

    def people(self, shard: int) -> People:
        """The customers of a shard."""
        size, most = self.scenario.shard_customers, self.scenario.customers
        numbers = np.arange(shard * size, min((shard + 1) * size, most))
        return _PEOPLE.get((self.seed, size, most, shard), lambda: people(self.seed, numbers))

    def intents(self, shard: int, day: int, cases: Rows) -> Rows:
        """What the customers of a shard mean to do on a day; `cases`: of all shards, see CaseBook.rows_on.

        Rules: numbered here, before anything is settled, so that what happens renames nothing.
        """
        who = self.people(shard)
        at = build_setting(
            self.scenario, self.seed, shard, day, self.epoch, who, self.estate, self.rates[day]
        )
        first, last = np.searchsorted(cases["customer"], [who.customer[0], who.customer[-1] + 1])
        rows = together([purchases(at), cash(at), transfers(at), cases[first:last]])
        rows["number"] = first_number(shard, day) + np.arange(len(rows))
        return rows

    def rows(self, day: int) -> Rows:
        """What happened on a day, by customer and time; nothing before the first day or after the last."""
        if not 0 <= day < self.days:
            return together([])
        held = _SETTLED.find(self.key(day))
        return self._settled(day, self._left_before(day))[0] if held is None else held

    def _left_before(self, day: int) -> Carried:
        """What the day before left: settled from the nearest earlier day that is held."""
        first = day
        while first > 0 and _CARRIED.find(self.key(first - 1)) is None:
            first -= 1
        found = _CARRIED.find(self.key(first - 1)) if first else None
        left = self._opened() if found is None else found
        for missing in range(first if found else 0, day):
            left = self._settled(missing, left)[1]
        return left

    def _opened(self) -> Carried:
        none = np.empty(0, dtype=np.int64)
        accounts = tuple(opened(self.people(shard)) for shard in range(self.scenario.shards))
        return Carried(accounts=accounts, payees=none, cents=none, due=together([]))

    def _settled(self, day: int, before: Carried) -> tuple[Rows, Carried]:
        """What happens on a day, and what it leaves; both are kept."""
        known = self.actions[: self._known(day)]
        cases = self.cases.rows_on(day, self.rates[day])
        shards = []
        for shard in range(self.scenario.shards):
            who = self.people(shard)
            first = int(who.customer[0])
            shards.append(
                settle_shard(
                    self.seed,
                    day,
                    self.start_us + day * US_PER_DAY,
                    self.intents(shard, day, cases),
                    due_on(before.due, day, first, len(who)),
                    who,
                    opening(before.accounts[shard], first, before.payees, before.cents),
                    tuple(action for action in known if action.customer in range(first, first + len(who))),
                    self.rates[day],
                )
            )
        key = self.key(day)
        rows = _SETTLED.get(key, lambda: together([shard.rows for shard in shards]))
        left = _CARRIED.get(key, lambda: carried(self.seed, day, self.days, shards, before.due, disputes()))
        return rows, left

    def _known(self, day: int) -> int:
        """How many of the actions come before a day's end."""
        return bisect_left(self._instants, self.start_us + (day + 1) * US_PER_DAY)

    def key(self, day: int) -> tuple[str, str, int]:
        """Names a day as it is under the actions before its end."""
        return self._root, self._digests[self._known(day)], day

    def _case_book(self) -> CaseBook:
        expected = expected_transactions(self.scenario, self.seed, self.days, self.epoch)
        deck = deal(self.seed, self.scenario, self.days, expected)
        return CaseBook(self.seed, self.scenario.customers, self.days, self.estate, deck)
