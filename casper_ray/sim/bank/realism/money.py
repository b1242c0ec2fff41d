"""What is on the customers' accounts, and what comes to them, before each transaction."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.sim.bank.hours import MS_PER_DAY, MS_PER_HOUR
from casper_ray.sim.bank.parties import instrument_of, is_own, owner
from casper_ray.sim.bank.realism.windows import before, firsts, line, since
from casper_ray.sim.bank.rows import DEBIT, NONE, Kind, Result
from casper_ray.sim.bank.streams import Floats, Ints

_SPENDS = (Kind.PURCHASE, Kind.WITHDRAWAL, Kind.TRANSFER_OUT)


def balances(frame: pl.DataFrame) -> Ints:
    """Cents on the customer's current account before each row of `transactions`, as settlement has it.

    Rules: transfers between customers arrive at the next midnight.
    """
    customer, at, cents = (frame[name].to_numpy() for name in ("customer", "at_ms", "cents"))
    kind, party = (frame[name].fill_null(NONE).to_numpy() for name in ("kind", "party"))
    approved = frame["result"].to_numpy() == Result.APPROVED
    moves = approved & (frame["instrument"].to_numpy() == DEBIT) & (kind != Kind.ENROLMENT)
    signed = np.where(moves, np.where(np.isin(kind, _SPENDS), -cents, cents), 0)
    sent = np.flatnonzero(approved & _between_customers(kind, party) & (instrument_of(party) == DEBIT))
    midnight = (at[sent] // MS_PER_DAY + 1) * MS_PER_DAY - 1
    rows = line(np.concatenate([customer, owner(party[sent])]), np.concatenate([at, midnight]))
    moved = before(rows, np.concatenate([signed, cents[sent]]))[: len(at)]
    held: Ints = frame["opening_cents"].to_numpy() + moved
    return held


def arrivals(frame: pl.DataFrame) -> dict[str, Ints | Floats]:
    """What others paid to the customer before each row, as of when it was sent.

    Returns: in_cents_72h, in_degree_7d (accounts that paid for the first time ever) and since_in_h.
    """
    customer, at, cents = (frame[name].to_numpy() for name in ("customer", "at_ms", "cents"))
    kind, party = (frame[name].fill_null(NONE).to_numpy() for name in ("kind", "party"))
    inside = _between_customers(kind, party)
    comes = inside | np.isin(kind, (Kind.TRANSFER_IN, Kind.DEPOSIT))
    source = np.flatnonzero(comes & (frame["result"].to_numpy() == Result.APPROVED))
    to = np.where(inside[source], owner(party[source]), customer[source])
    payer = np.where(inside[source], customer[source], party[source])
    rows = line(np.concatenate([customer, to]), np.concatenate([at, at[source]]))
    blank = np.zeros(len(at), dtype=np.int64)
    paid = np.concatenate([blank, cents[source]])
    new = np.concatenate([blank, firsts(to, payer, at[source]).new])
    return {
        "in_cents_72h": before(rows, paid, 3 * MS_PER_DAY)[: len(at)],
        "in_degree_7d": before(rows, new, 7 * MS_PER_DAY)[: len(at)],
        "since_in_h": since(rows, paid > 0)[: len(at)] / MS_PER_HOUR,
    }


def _between_customers(kind: Ints, party: Ints) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (kind == Kind.TRANSFER_OUT) & (party != NONE) & is_own(party)
    return inside
