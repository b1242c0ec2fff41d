"""The card feed and the ATM feed: a window's events as text."""

from __future__ import annotations

import numpy as np
import polars as pl

from casper_ray.domain.bank import (
    ATM,
    COLUMNS,
    COMPLIANCE_FAILED,
    COMPLIANCE_PASSED,
    DECLINED,
    INITIATED,
    POSTED,
    PROCESSING,
    REVERSED,
    SETTLED,
    STATUS_UPDATE,
)
from casper_ray.sim.bank import lifecycle
from casper_ray.sim.bank.columns import (
    CHANNEL_NAMES,
    KIND_NAMES,
    RESULT_NAMES,
    amounts,
    atm_ids,
    branch_ids,
    category_codes,
    city_countries,
    currencies,
    device_ids,
    merchant_ids,
    original_ids,
    taken,
    taken_where,
)
from casper_ray.sim.bank.estate import Estate
from casper_ray.sim.bank.hours import MS_PER_DAY
from casper_ray.sim.bank.numbers import (
    account_numbers,
    cards_of,
    event_words,
    hex_ids,
    own_accounts,
    pans,
    transaction_ids,
)
from casper_ray.sim.bank.people import branch_of
from casper_ray.sim.bank.rows import CREDIT, Kind, Result, Rows
from casper_ray.sim.bank.streams import Ints, Salt, Words, unit
from casper_ray.sim.text import timestamps

_TYPES = pl.Series([INITIATED, PROCESSING, COMPLIANCE_PASSED, SETTLED, STATUS_UPDATE, COMPLIANCE_FAILED])
_FAILED = 5
_STATUSES = pl.Series([POSTED, DECLINED, REVERSED])
_LATER_SETTLEMENT = (0.55, 0.9)
"""Below the first the settlement date is the day of initiation, below the second the next day, else the one after;
never a day before it was settled."""


def card_events(
    seed: int,
    estate: Estate,
    feed: str,
    start_ms: int,
    rows: Rows,
    row: Ints,
    step: Ints,
    at_ms: Ints,
    told_ms: Ints,
) -> pl.DataFrame:
    """Events of a window, sorted by (ts_us, event_id).

    start_ms   the beginning of day 0, since 1970
    row        place in `rows` of each event's transaction
    step       see lifecycle
    at_ms, told_ms  when it arrives, and the time it carries; since 1970
    Returns:   COLUMNS[feed] and ts_us.
    """
    words = event_words(seed, rows["number"][row], step)
    order = _in_order(at_ms, words)
    words, row, step = words[order], row[order], step[order]
    at_ms, told_ms = at_ms[order], told_ms[order]
    transactions = _transactions(seed, estate, feed, start_ms, rows)
    return (
        transactions[row]
        .with_columns(
            hex_ids("E", words).alias("event_id"),
            timestamps(told_ms).alias("ts"),
            pl.Series("ts_us", at_ms * 1000),
            *_told(seed, rows, row, step, told_ms, start_ms),
        )
        .select(*COLUMNS[feed], "ts_us")
    )


def _told(seed: int, rows: Rows, row: Ints, step: Ints, told_ms: Ints, start_ms: int) -> list[pl.Series]:
    """What changes from one event of a transaction to the next."""
    result = rows["result"][row].astype(np.int64)
    approved, spoken = result == Result.APPROVED, step >= lifecycle.COMPLIANCE
    kinds = np.where((step == lifecycle.COMPLIANCE) & ~approved, _FAILED, step)
    status = np.where(approved, 2 * (rows["kind"][row] == Kind.REVERSAL), 1)
    settled = approved & (step >= lifecycle.SETTLED)
    chance = unit(seed, Salt.TWO_DAYS, rows["number"])[row]
    later = (chance >= _LATER_SETTLEMENT[0]).astype(np.int64) + (chance >= _LATER_SETTLEMENT[1])
    begun_day = _initiated_ms(start_ms, rows)[row] // MS_PER_DAY
    day = np.maximum(begun_day + later, told_ms // MS_PER_DAY)
    first = int(day.min()) if len(day) else 0
    dates = [str(date) for date in np.arange(first, int(day.max(initial=first)) + 1).astype("datetime64[D]")]
    return [
        taken(_TYPES, kinds).alias("event_type"),
        taken_where(spoken, RESULT_NAMES, result).alias("auth_result"),
        taken_where(step == lifecycle.STATUS, _STATUSES, status).alias("status"),
        taken_where(settled, pl.Series(dates), day - first).alias("settlement_date"),
    ]


def _initiated_ms(start_ms: int, rows: Rows) -> Ints:
    at: Ints = start_ms + rows["day"].astype(np.int64) * MS_PER_DAY + rows["ms"]
    return at


def _in_order(at_ms: Ints, words: Words) -> Ints:
    """The order by time, then by word. Times come nearly sorted, and few are alike."""
    order = np.argsort(at_ms, kind="stable")
    sorted_ms = at_ms[order]
    alike = np.flatnonzero(sorted_ms[1:] == sorted_ms[:-1])
    tied = np.union1d(alike, alike + 1)
    group = order[tied]
    order[tied] = group[np.lexsort((words[group], at_ms[group]))]
    return order


def _transactions(seed: int, estate: Estate, feed: str, start_ms: int, rows: Rows) -> pl.DataFrame:
    """What all events of a transaction say alike; one row each."""
    customer, instrument = rows["customer"].astype(np.int64), rows["instrument"].astype(np.int64)
    alike = {
        "transaction_id": transaction_ids(seed, rows["number"]),
        "transaction_type": taken(KIND_NAMES, rows["kind"].astype(np.int64)),
        "original_transaction_id": original_ids(seed, rows),
        "initiated_ts": timestamps(_initiated_ms(start_ms, rows)),
        "account_number": account_numbers(own_accounts(customer, instrument)),
        "pan": pans(cards_of(customer, instrument)),
        "amount": amounts(rows["cents"]),
        "currency": taken(currencies(), rows["currency"].astype(np.int64)),
        "branch_id": taken(branch_ids(), branch_of(seed, customer)),
        "lat": rows["lat"] / 1e6,
        "lon": rows["lon"] / 1e6,
    }
    if feed == ATM:
        atm = rows["atm"].astype(np.int64)
        cities = estate.atm_city[atm]
        return pl.DataFrame(alike | {"atm_id": atm_ids(atm), "country": taken(city_countries(), cities)})
    merchant = rows["merchant"].astype(np.int64)
    category = estate.category_on(merchant, rows["day"])
    return pl.DataFrame(
        alike
        | {
            "card_type": taken(pl.Series(["debit", "credit"]), (instrument == CREDIT).astype(np.int64)),
            "channel": taken(CHANNEL_NAMES, rows["channel"].astype(np.int64)),
            "merchant_id": merchant_ids(merchant),
            "mcc": taken(category_codes(), category),
            "country": taken(city_countries(), estate.merchant_city[merchant]),
            "device_id": device_ids(seed, rows["device"].astype(np.int64)),
        }
    )
