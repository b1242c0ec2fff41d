"""When the events of card and cash transactions come: numbers only, sorted by time, to be cut into windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casper_ray.domain.bank import ATM, CARD
from casper_ray.sim.bank.rows import Channel, Kind, Result, Rows
from casper_ray.sim.bank.streams import Floats, Ints, Salt, unit

Millis = NDArray[np.int32]

INITIATED, PROCESSING, COMPLIANCE, SETTLED, STATUS = range(5)
"""Steps of a transaction: which event of its own it is. A duplicate is the same step again."""
DUPLICATED = 0.005
PROCESSING_MS = (60, 900)
COMPLIANCE_MS = (40, 2_500)
SETTLED_MINUTES = {
    Channel.POS: (4, 80),
    Channel.CONTACTLESS: (4, 80),
    Channel.ONLINE: (10, 95),
    Channel.ATM: (1, 20),
}
REVERSAL_SETTLED_MINUTES = (1, 10)
POSTED_MS = (300, 45_000)
DUPLICATE_MS = (2_000, 300_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Events of one day's rows, sorted by `at`; places in an array of the day's rows.

    at    when it arrives, and told: what it says its time is; milliseconds since the day's start. They differ in a
          duplicate only, which comes later than it says
    """

    row: NDArray[np.int32]
    step: NDArray[np.int8]
    at: NDArray[np.int32]
    told: NDArray[np.int32]

    def between(self, from_ms: int, to_ms: int) -> slice:
        """Where the events with from_ms <= at < to_ms are."""
        most = np.iinfo(self.at.dtype).max
        # Of the array's own type: for a wider one all of it would be made wider, millions of events each time.
        ends = np.clip([from_ms, to_ms], -1, most).astype(self.at.dtype)
        return slice(*np.searchsorted(self.at, ends).tolist())

    def estimated_bytes(self) -> int:
        return self.row.nbytes + self.step.nbytes + self.at.nbytes + self.told.nbytes + 500


def feed_rows(rows: Rows, feed: str) -> Ints:
    """Places of the rows that the card feed or the ATM feed tells of."""
    cash = rows["channel"] == Channel.ATM
    told = (rows["kind"] != Kind.ENROLMENT) & (rows["channel"] != Channel.WIRE)
    return np.flatnonzero(told & (cash if feed == ATM else ~cash if feed == CARD else False))


def timeline(seed: int, rows: Rows, feed: str) -> Timeline:
    """The events of a day's rows in the card feed or the ATM feed.

    Rules: initiated, processing, compliance; then settled and its status, or where it was declined its status only. A
           share of settled events comes again within minutes.
    """
    place = feed_rows(rows, feed).astype(np.int32)
    told = rows[place]
    number, approved = told["number"], told["result"] == Result.APPROVED
    initiated = told["ms"]
    processing = initiated + _within(seed, Salt.PROCESSING, number, PROCESSING_MS)
    compliance = processing + _within(seed, Salt.COMPLIANCE, number, COMPLIANCE_MS)
    settled = compliance + _settling(seed, told)
    posting = _within(seed, Salt.POSTED, number, POSTED_MS)
    status = np.where(approved, settled + posting, compliance + posting // 20 + 1)
    again = approved & (unit(seed, Salt.DUPLICATE, number) < DUPLICATED)
    delay = _within(seed, Salt.DUPLICATE_DELAY, number, DUPLICATE_MS)
    row = np.concatenate([place, place, place, place[approved], place, place[again]])
    lengths = [len(place)] * 3 + [int(approved.sum()), len(place), int(again.sum())]
    steps = np.array([INITIATED, PROCESSING, COMPLIANCE, SETTLED, STATUS, SETTLED], dtype=np.int8)
    step = np.repeat(steps, lengths)
    says = np.concatenate([initiated, processing, compliance, settled[approved], status, settled[again]])
    at = says.copy()
    at[len(at) - lengths[-1] :] += delay[again]
    order = np.argsort(at, kind="stable")
    return Timeline(row=row[order], step=step[order], at=at[order], told=says[order])


def _settling(seed: int, rows: Rows) -> Millis:
    """Milliseconds from compliance to settlement."""
    low, high = np.zeros((2, len(Channel)))
    for channel, (least, most) in SETTLED_MINUTES.items():
        low[channel], high[channel] = least, most
    reversal = rows["kind"] == Kind.REVERSAL
    shortest = np.where(reversal, REVERSAL_SETTLED_MINUTES[0], low[rows["channel"]])
    longest = np.where(reversal, REVERSAL_SETTLED_MINUTES[1], high[rows["channel"]])
    chance: Floats = unit(seed, Salt.SETTLED, rows["number"])
    waits: Millis = (60_000 * (shortest + (longest - shortest) * chance**2)).astype(np.int32)
    return waits


def _within(seed: int, salt: Salt, numbers: Ints, bounds: tuple[int, int]) -> Millis:
    low, high = bounds
    drawn: Millis = low + ((high - low) * unit(seed, salt, numbers) ** 2).astype(np.int32)
    return drawn
