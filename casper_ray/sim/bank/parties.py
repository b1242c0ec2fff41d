"""Who is at the other side of a transfer, as one whole number: our customers, people and firms at other banks.

The number's upper bits say what it is, the lower ones who. Names and accounts are made of it where text is
asked for, see `party_text`.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from casper_ray.sim.bank.rows import DEBIT
from casper_ray.sim.bank.streams import Ints

_SHIFT = 48
_BELOW = (1 << _SHIFT) - 1
MOST_OUTSIDE = 2**40
VARIANTS = 8
"""Ways in which a name can be written otherwise; 0 is as listed."""


class PartyKind(IntEnum):
    OWN = 0
    PERSON = 1
    LISTED = 2
    NAMESAKE = 3
    FIRM = 4


def own(customers: Ints, instrument: int = DEBIT) -> Ints:
    """Accounts of our customers: the current account, or the card account."""
    return _party(PartyKind.OWN, np.asarray(customers, dtype=np.int64) * 2 + instrument)


def outside(numbers: Ints) -> Ints:
    """Accounts at other banks: a different person for each number from 0 to before MOST_OUTSIDE."""
    return _party(PartyKind.PERSON, np.asarray(numbers, dtype=np.int64) % MOST_OUTSIDE)


def firm(numbers: Ints) -> Ints:
    """Accounts of firms at other banks: a different one for each number from 0 to before MOST_OUTSIDE."""
    return _party(PartyKind.FIRM, np.asarray(numbers, dtype=np.int64) % MOST_OUTSIDE)


def listed(entries: Ints, variant: Ints | int) -> Ints:
    """Accounts of entries of the sanctions list, their names written in way `variant`, 0 to 7."""
    return _party(PartyKind.LISTED, np.asarray(entries, dtype=np.int64) * VARIANTS + variant)


def namesake(entries: Ints, variant: Ints | int) -> Ints:
    """Accounts of innocent people whose names are nearly those of the entries."""
    return _party(PartyKind.NAMESAKE, np.asarray(entries, dtype=np.int64) * VARIANTS + variant)


def kinds(parties: Ints) -> Ints:
    """What each party is, see PartyKind; -1 for none."""
    return parties >> _SHIFT


def bodies(parties: Ints) -> Ints:
    """Who each party is, within its kind."""
    return parties & _BELOW


def is_own(parties: Ints) -> NDArray[np.bool_]:
    """Whether the account is one of ours."""
    ours: NDArray[np.bool_] = kinds(parties) == PartyKind.OWN
    return ours


def owner(parties: Ints) -> Ints:
    """The customer whose account it is; meaningful where `is_own`."""
    return bodies(parties) >> 1


def instrument_of(parties: Ints) -> Ints:
    """Which of the customer's accounts it is; meaningful where `is_own`."""
    return bodies(parties) & 1


def _party(kind: PartyKind, body: Ints) -> Ints:
    return (np.int64(kind) << np.int64(_SHIFT)) | body
