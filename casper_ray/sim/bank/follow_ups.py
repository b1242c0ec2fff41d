"""What undoes a purchase: reversals minutes later, refunds after days, chargebacks after weeks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casper_ray.sim.bank.hours import MS_PER_DAY, MS_PER_HOUR
from casper_ray.sim.bank.numbers import follow_up_numbers
from casper_ray.sim.bank.rates import in_base
from casper_ray.sim.bank.rows import Channel, Kind, Result, Rows, together
from casper_ray.sim.bank.streams import Floats, Ints, Salt, unit

REVERSED = 0.004
REFUNDED = {Channel.ONLINE: 0.035, Channel.POS: 0.008, Channel.CONTACTLESS: 0.003}
DISPUTED = 0.0002
REVERSAL_MINUTES = (2, 45)
REFUND_DAYS = (2, 14)
CHARGEBACK_DAYS = (21, 56)
_WHICH = {Kind.REVERSAL: 1, Kind.REFUND: 2, Kind.CHARGEBACK: 3}
_IN_PART = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputes:
    """Share of purchases that are disputed, by code of the typology or of the benign twin; 0 stands for neither."""

    crime: Floats
    twin: Floats

    def share(self, rows: Rows) -> Floats:
        own: Floats = np.maximum(self.crime[rows["typology"]], self.twin[rows["twin"]])
        return np.maximum(own, DISPUTED)


def with_reversals(seed: int, rows: Rows) -> tuple[Rows, Ints]:
    """The rows, and after them the reversals that some purchases are followed by if they go through.

    Returns: all of them, and of each reversal the place of what it reverses.
    """
    places = np.flatnonzero(rows["kind"] == Kind.PURCHASE)
    number = rows["number"][places]
    chance = unit(seed, Salt.REVERSAL, number)
    low, high = (60_000 * minutes for minutes in REVERSAL_MINUTES)
    ms = rows["ms"][places] + (low + (high - low) * chance / REVERSED).astype(np.int64)
    found = (chance < REVERSED) & (ms < MS_PER_DAY)
    undoing = _undoing(rows[places[found]], Kind.REVERSAL)
    undoing["ms"] = ms[found]
    return together([rows, undoing]), places[found]


def later_follow_ups(seed: int, rows: Rows, disputes: Disputes) -> Rows:
    """Refunds and chargebacks of the purchases among settled rows, with the days on which they come.

    Rules: a purchase is refunded or charged back once at most, not if it was reversed; a third of refunds are of a
           part. base_cents is of the original's day: see `revalued`.
    """
    done = (rows["kind"] == Kind.PURCHASE) & (rows["result"] == Result.APPROVED)
    reversed_ = rows["original"][rows["kind"] == Kind.REVERSAL]
    bought = rows[done & ~np.isin(rows["number"], reversed_)]
    number = bought["number"]
    charged = unit(seed, Salt.CHARGEBACK, number) < disputes.share(bought)
    usual = np.zeros(len(Channel))
    usual[list(REFUNDED)] = list(REFUNDED.values())
    refunded = ~charged & (bought["typology"] == 0)
    refunded &= unit(seed, Salt.REFUND, number) < usual[bought["channel"]]
    refunds = _delayed(seed, bought[refunded], Kind.REFUND, Salt.REFUND_DELAY, REFUND_DAYS)
    part = unit(seed, Salt.PART, refunds["original"])
    share = np.where(part < _IN_PART, 0.2 + 2.5 * part, 1.0)
    refunds["cents"] = np.maximum(refunds["cents"] * share, 1)
    chargebacks = _delayed(seed, bought[charged], Kind.CHARGEBACK, Salt.CHARGEBACK_DELAY, CHARGEBACK_DAYS)
    return together([refunds, chargebacks])


def revalued(rows: Rows, rates: Ints) -> Rows:
    """The rows at the rates of their day."""
    rows["base_cents"] = in_base(rows["cents"], rows["currency"].astype(np.int64), rates)
    return rows


def _delayed(seed: int, rows: Rows, kind: Kind, salt: Salt, days: tuple[int, int]) -> Rows:
    undoing = _undoing(rows, kind)
    chance = unit(seed, salt, rows["number"])
    within = unit(seed, Salt.POSTED, rows["number"])
    undoing["day"] += days[0] + (chance * (days[1] - days[0] + 1)).astype(np.int32)
    undoing["ms"] = (9 * MS_PER_HOUR + within * 9 * MS_PER_HOUR).astype(np.int32)
    return undoing


def _undoing(rows: Rows, kind: Kind) -> Rows:
    undoing = rows.copy()
    undoing["original"] = rows["number"]
    undoing["number"] = follow_up_numbers(rows["number"], _WHICH[kind])
    undoing["kind"] = kind
    for name in ("typology", "twin", "share", "result", "insists"):
        undoing[name] = 0
    return undoing
