"""What a bank can do to a customer at an instant: block a card, freeze the account, set a limit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from casper_ray.errors import ConfigError
from casper_ray.sim.bank.hours import MS_PER_DAY
from casper_ray.sim.bank.people import people
from casper_ray.sim.bank.rows import CREDIT, DEBIT, Kind, Rows
from casper_ray.sim.bank.streams import Ints

Limit = Literal["card", "atm", "wire", "credit"]
LIMITS: Final[tuple[Limit, ...]] = ("card", "atm", "wire", "credit")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCard:
    """The card of an account (DEBIT or CREDIT) is refused from `at_us` on."""

    at_us: int
    customer: int
    instrument: int = DEBIT


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeAccount:
    """No money leaves the current account from `at_us` on, by card, at a machine or by transfer."""

    at_us: int
    customer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLimit:
    """A day's limit by card, at ATMs or by transfer, or the credit limit, is `cents` from `at_us` on."""

    at_us: int
    customer: int
    limit: Limit
    cents: int


Action = BlockCard | FreezeAccount | ChangeLimit


def checked_actions(actions: Iterable[Action], seed: int, customers: int, from_us: int) -> tuple[Action, ...]:
    """The actions in order of time; of one instant, as given.

    Raises: ConfigError if there is no such customer, card or limit, or an action precedes day 0.
    """
    taken = tuple(sorted(actions, key=lambda action: action.at_us))
    for action in taken:
        if not 0 <= action.customer < customers:
            raise ConfigError(
                f"action: there is no customer {action.customer}", f"0 to {customers - 1} exist"
            )
        if action.at_us < from_us:
            raise ConfigError(f"action: {action.at_us} us is before day 0", f"day 0 begins at {from_us}")
        if isinstance(action, ChangeLimit) and (action.limit not in LIMITS or action.cents < 0):
            raise ConfigError(
                f"action: limit {action.limit} of {action.cents} cents",
                f"limits are {', '.join(LIMITS)}, from 0",
            )
        if _needs_credit(action) and not people(seed, np.array([action.customer])).has_credit[0]:
            raise ConfigError(f"action: customer {action.customer} has no credit card")
    return taken


def actions_digests(actions: Sequence[Action]) -> tuple[str, ...]:
    """Of the first none, one, two, ... of the actions, 16 hex digits of what they do; of none of them no digits."""
    digests = [""]
    for action in actions:
        digests.append(hashlib.sha256(f"{digests[-1]} {action!r}".encode()).hexdigest()[:16])
    return tuple(digests)


def _needs_credit(action: Action) -> bool:
    if isinstance(action, BlockCard):
        return action.instrument == CREDIT
    return isinstance(action, ChangeLimit) and action.limit == "credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for each row of a day: whether it is blocked, and the limits in cents."""

    blocked: NDArray[np.bool_]
    card: Ints
    atm: Ints
    wire: Ints
    credit: Ints


def apply_actions(rules: Rules, actions: Sequence[Action], rows: Rows, day_start_us: int) -> None:
    """Set what holds after the actions; rows of one day, sorted by (customer, ms)."""
    customer = rows["customer"]
    for action in actions:
        since = max((action.at_us - day_start_us + 999) // 1000, 0)
        if since >= MS_PER_DAY:
            continue
        first, end = np.searchsorted(customer, [action.customer, action.customer + 1])
        first += np.searchsorted(rows["ms"][first:end], since)
        if isinstance(action, ChangeLimit):
            getattr(rules, action.limit)[first:end] = action.cents
        else:
            rules.blocked[first:end] |= _stopped(action, rows[first:end])


def _stopped(action: BlockCard | FreezeAccount, rows: Rows) -> NDArray[np.bool_]:
    kind, debit = rows["kind"], rows["instrument"] == DEBIT
    stopped: NDArray[np.bool_]
    if isinstance(action, FreezeAccount):
        stopped = debit & np.isin(kind, (Kind.PURCHASE, Kind.WITHDRAWAL, Kind.TRANSFER_OUT))
    else:
        by_card = np.isin(kind, (Kind.PURCHASE, Kind.WITHDRAWAL, Kind.DEPOSIT))
        stopped = by_card & (rows["instrument"] == action.instrument)
    return stopped
