"""The day's wire file: one line a transfer, all of them at the cut-off."""

from __future__ import annotations

import numpy as np
import polars as pl

from casper_ray.domain.bank import COMPLIANCE_FAILED, SETTLED, WIRE_COLUMNS
from casper_ray.sim.bank.columns import (
    KIND_NAMES,
    RESULT_NAMES,
    amounts,
    branch_ids,
    currencies,
    device_ids,
    original_ids,
)
from casper_ray.sim.bank.hours import MS_PER_DAY, MS_PER_HOUR
from casper_ray.sim.bank.numbers import event_words, hex_ids, transaction_ids
from casper_ray.sim.bank.parties import is_own, own
from casper_ray.sim.bank.party_text import party_text
from casper_ray.sim.bank.people import branch_of
from casper_ray.sim.bank.rows import Channel, Kind, Result, Rows, together
from casper_ray.sim.bank.streams import Ints, Salt, below
from casper_ray.sim.bank.transfers import Reason
from casper_ray.sim.text import timestamps

CUT_OFF_MS = 18 * MS_PER_HOUR
"""What is keyed in later is in the next day's file."""
_DIRECTIONS = pl.Series(["outgoing", "incoming", "internal"])
_TEXTS = {
    Reason.NONE: ("",),
    Reason.SALARY: ("Salary", "Wages", "Pay"),
    Reason.RENT: ("Rent", "Rent and charges"),
    Reason.BILL: ("Electricity", "Water", "Insurance", "Subscription", "Invoice"),
    Reason.SAVINGS: ("Savings", "Saving plan"),
    Reason.PRIVATE: (
        "Thanks!", "Dinner", "Tickets", "As agreed", "Present", "Invoice", "Loan", "Your half", "Holiday",
        "For the car", "Share of the bill", "Goods", "Refund", "Services", "Deposit", "See you",
    ),
    Reason.INVOICE: ("Invoice", "Services"),
    Reason.CARD_BILL: ("Card account",),
    Reason.GIFT: ("Present",),
    Reason.LOAN: ("Loan",),
}  # fmt: skip


def wire_rows(day_before: Rows, day: Rows) -> Rows:
    """The transfers of a day's file: keyed in between two cut-offs."""
    late = (day_before["channel"] == Channel.WIRE) & (day_before["ms"] >= CUT_OFF_MS)
    in_time = (day["channel"] == Channel.WIRE) & (day["ms"] < CUT_OFF_MS)
    return together([day_before[late], day[in_time]])


def wire_events(seed: int, rows: Rows, start_ms: int, file_day: int) -> pl.DataFrame:
    """The lines of a day's file, sorted by event_id.

    start_ms  of day 0, since 1970
    Returns:  WIRE_COLUMNS and ts_us.
    """
    words = event_words(seed, rows["number"], np.zeros(len(rows), dtype=np.int64))
    order = np.argsort(words)
    rows, words = rows[order], words[order]
    customer = rows["customer"].astype(np.int64)
    incoming, internal = rows["kind"] == Kind.TRANSFER_IN, is_own(rows["party"])
    other, ours = rows["party"], own(customer)
    payer, payee = np.where(incoming, other, ours), np.where(incoming, ours, other)
    approved = rows["result"] == Result.APPROVED
    cut_off = start_ms + file_day * MS_PER_DAY + CUT_OFF_MS
    entered = np.where(rows["entered_ms"] > 0, rows["entered_ms"], rows["ms"]).astype(np.int64)
    entered = np.minimum(entered, rows["ms"]) + start_ms + rows["day"].astype(np.int64) * MS_PER_DAY
    value_day = cut_off // MS_PER_DAY + incoming
    same = np.full(len(rows), cut_off)
    sides = {"payer": party_text(seed, payer), "payee": party_text(seed, payee)}
    frame = pl.DataFrame(
        {
            "event_id": hex_ids("E", words),
            "event_type": pl.Series([SETTLED, COMPLIANCE_FAILED]).gather((~approved).astype(np.int64)),
            "ts": timestamps(same),
            "transaction_id": transaction_ids(seed, rows["number"]),
            "transaction_type": KIND_NAMES.gather(rows["kind"].astype(np.int64)),
            "original_transaction_id": original_ids(seed, rows),
            "direction": _DIRECTIONS.gather(np.where(internal, 2, incoming)),
            "entered_ts": timestamps(entered),
            **{
                f"{side}_{what}": getattr(text, what) for side, text in sides.items() for what in text._fields
            },
            "purpose": _purposes(seed, rows),
            "amount": amounts(rows["cents"]),
            "currency": currencies().gather(rows["currency"].astype(np.int64)),
            "device_id": device_ids(seed, rows["device"].astype(np.int64)),
            "branch_id": branch_ids().gather(branch_of(seed, customer)),
            "auth_result": RESULT_NAMES.gather(rows["result"].astype(np.int64)),
            "value_date": pl.Series(value_day.astype(np.int32)).cast(pl.Date).cast(pl.String),
            "ts_us": same * 1000,
        }
    )
    return frame.select(*WIRE_COLUMNS, "ts_us")


def _purposes(seed: int, rows: Rows) -> pl.Series:
    """What payers write, picked from what is usual for the reason."""
    flat = [text for reason in Reason for text in _TEXTS[reason]]
    counts: Ints = np.array([len(_TEXTS[reason]) for reason in Reason])
    first = (np.cumsum(counts) - counts)[rows["purpose"]]
    chance = below(seed, Salt.REASON, rows["number"], 2**20)
    return pl.Series(flat).gather(first + chance % counts[rows["purpose"]])
