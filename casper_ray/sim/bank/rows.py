"""A transaction while the world is made: a row of numbers. Text comes last, and only where it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.void]


class Kind(IntEnum):
    """What a row does. An ENROLMENT is no transaction: a new device becomes the customer's."""

    PURCHASE = 0
    WITHDRAWAL = 1
    DEPOSIT = 2
    TRANSFER_OUT = 3
    TRANSFER_IN = 4
    REVERSAL = 5
    REFUND = 6
    CHARGEBACK = 7
    ENROLMENT = 8


class Channel(IntEnum):
    """How it was done."""

    POS = 0
    CONTACTLESS = 1
    ONLINE = 2
    ATM = 3
    WIRE = 4


class Result(IntEnum):
    """What became of it. One that could not be afforded did not happen: nobody tells of it."""

    DID_NOT_HAPPEN = -1
    APPROVED = 0
    BLOCKED = 1
    LIMIT = 2
    FUNDS = 3
    COMPLIANCE = 4


DEBIT, CREDIT = 0, 1
NONE = -1

ROW = np.dtype(
    [
        ("number", "i8"),  # see `numbers`: names the transaction
        ("original", "i8"),  # number of what this undoes, or NONE
        ("cents", "i8"),  # in the row's currency, above 0
        ("base_cents", "i8"),  # in the base currency at the day's rate
        ("party", "i8"),  # of a transfer: the other side, see `parties`
        ("customer", "i4"),
        ("day", "i4"),
        ("ms", "i4"),  # since the day's start; what it is settled by
        ("entered_ms", "i4"),  # of a transfer: when it was keyed in
        ("merchant", "i4"),
        ("atm", "i4"),
        ("device", "i4"),
        ("lat", "i4"),  # millionths of a degree
        ("lon", "i4"),
        ("case", "i4"),  # of a crime or of its benign twin, or NONE
        (
            "share",
            "f4",
        ),  # above 0: the amount is this share of what is there; below 0: of the credit that is left
        ("kind", "i1"),
        ("channel", "i1"),
        ("instrument", "i1"),  # DEBIT or CREDIT
        ("currency", "i1"),
        ("purpose", "i1"),
        ("typology", "i1"),  # of a crime, 0: none
        ("twin", "i1"),  # the typology that this harmlessly looks like, 0: none
        ("result", "i1"),
        ("insists", "?"),  # is tried without regard to what there is: declined, not left undone
    ]
)

_BLANK = np.zeros((), dtype=ROW)
for _name in ("original", "party", "merchant", "atm", "device", "case"):
    _BLANK[_name] = NONE


def rows_of(count: int, **columns: Any) -> Rows:
    """`count` rows with the columns given; the others are blank."""
    rows: Rows = np.full(count, _BLANK, dtype=ROW)
    for name, values in columns.items():
        rows[name] = values
    return rows


def together(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts."""
    held = [part for part in parts if len(part)]
    if len(held) == 1:
        return held[0]
    return np.concatenate(held) if held else np.empty(0, dtype=ROW)
