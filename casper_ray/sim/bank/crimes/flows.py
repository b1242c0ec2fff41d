"""Money that runs together and apart: the parts that several typologies are made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from casper_ray.sim.bank.crimes.cast import Cast
from casper_ray.sim.bank.crimes.deeds import arrivals, transfers
from casper_ray.sim.bank.crimes.moments import DAY_MS
from casper_ray.sim.bank.parties import own
from casper_ray.sim.bank.people import People
from casper_ray.sim.bank.rows import Rows, together
from casper_ray.sim.bank.streams import Floats, Ints


def gather(cast: Cast, hub: People, at: Ints, bounds_eur: tuple[float, float]) -> Rows:
    """One payment into the hub's account at each moment of `at`: from customers and from other banks, mixed."""
    at = cast.chance.permutation(at)
    customers = cast.people(cast.number((max(1, len(at) // 3), len(at) - 1)))
    here, there = len(customers), len(at) - len(customers)
    return together(
        [
            transfers(customers, own(hub.customer), at[:here], cast.sums(customers, bounds_eur, here)),
            arrivals(hub, cast.strangers(there), at[here:], cast.sums(hub, bounds_eur, there)),
        ]
    )


def scatter(cast: Cast, hub: People, at: Ints, cents: Ints) -> Rows:
    """One payment of the hub's to somebody else at each moment of `at`: to customers and to other banks."""
    return transfers(hub, cast.chance.permutation(payees(cast, len(at))), at, cents)


def payees(cast: Cast, count: int) -> Ints:
    """So many different accounts: of customers who have no part yet, and at other banks."""
    customers = cast.people(cast.number((max(1, count // 3), max(1, count - 1))))
    return np.concatenate([own(customers.customer), cast.strangers(count - len(customers))])


def parts(cast: Cast, whole: int, count: int, keeps: float) -> Ints:
    """`whole` less the margin that is kept, in `count` unequal parts; cents."""
    weight: Floats = cast.chance.uniform(0.7, 1.3, count)
    cents: Ints = np.maximum(whole * (1 - keeps) * weight / weight.sum(), 100).astype(np.int64)
    return cents


def chain(links: People, at: Ints, first_cents: int, keeps: float, *, end: Ints) -> Rows:
    """Each of `links` pays the next one, the last one `end`, at its moment, and keeps a share for itself."""
    cents = first_cents * (1 - keeps) ** np.arange(len(links))
    parties = np.concatenate([own(links.customer[1:]), end])
    return transfers(links, parties, at, np.maximum(cents, 100).astype(np.int64))


class Pairs(NamedTuple):
    """Who pays whom: indexes of payers and of takers, one place a payment, sorted."""

    giver: Ints
    taker: Ints


def between(cast: Cast, payers: int, takers: int, each: tuple[int, int]) -> Pairs:
    """Every payer with `each` of the takers, and every taker with one payer at least."""
    pairs: set[tuple[int, int]] = set()
    for giver in range(payers):
        most = min(cast.number(each), takers)
        pairs |= {(giver, int(taker)) for taker in cast.chance.choice(takers, most, replace=False)}
    lonely = set(range(takers)) - {taker for _, taker in pairs}
    pairs |= {(int(cast.chance.integers(payers)), taker) for taker in lonely}
    givers, taken = np.array(sorted(pairs), dtype=np.int64).T
    return Pairs(givers, taken)


def funded(cast: Cast, payers: People, at: Ints, giver: Ints, cents: Ints, keeps: float) -> Rows:
    """What comes from other banks for payers who will pay `cents` on and keep a share: one arrival each, at `at`."""
    whole = np.bincount(giver, cents, minlength=len(payers)) / (1 - keeps)
    return arrivals(payers, cast.strangers(len(payers)), at, np.maximum(whole, 100).astype(np.int64))


def moments_of(rows: Rows) -> Ints:
    """When the rows happen, in milliseconds since the start of day 0."""
    moments: Ints = rows["day"].astype(np.int64) * DAY_MS + rows["ms"]
    return moments


def last(rows: Rows) -> int:
    """When the last of the rows happens."""
    return int(moments_of(rows).max())
