"""Rows of what is done in a case. `at` is in milliseconds since the start of day 0, one for each row.

People given as `who` are one, or one for each row.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from casper_ray.sim.bank.books import load_places, load_rates
from casper_ray.sim.bank.crimes.moments import DAY_MS
from casper_ray.sim.bank.estate import Estate
from casper_ray.sim.bank.people import People
from casper_ray.sim.bank.rows import DEBIT, NONE, Channel, Kind, Rows, rows_of
from casper_ray.sim.bank.streams import Floats, Ints

_CONTACTLESS_CENTS = 5_000
_NOTE_CENTS = 1_000


def transfers(
    who: People, parties: Any, at: Ints, cents: Any = 0, *, share: Any = 0.0, device: Any = None
) -> Rows:
    """Money sent: `cents`, or a `share` of what is there. Keyed in on the own device or on another one."""
    used = who.device if device is None else device
    rows = _rows(
        Kind.TRANSFER_OUT, Channel.WIRE, who, at, party=parties, cents=cents, share=share, device=used
    )
    rows["entered_ms"] = rows["ms"]
    return rows


def arrivals(who: People, parties: Any, at: Ints, cents: Any) -> Rows:
    """Money that comes from accounts at other banks."""
    rows = _rows(Kind.TRANSFER_IN, Channel.WIRE, who, at, party=parties, cents=cents)
    rows["entered_ms"] = rows["ms"]
    return rows


def purchases(
    estate: Estate,
    who: People,
    merchants: Ints,
    at: Ints,
    cents: Ints,
    *,
    instrument: Any = DEBIT,
    device: Any = None,
    far: tuple[Any, Any] | None = None,
) -> Rows:
    """Cards used at merchants; `cents` of the base currency, written in the currency of the merchant's place.

    Rules: at a distance where the merchant sells so: with the own device at home, or with `device` at `far`
           (lat, lon in millionths of a degree). They insist: what is there does not matter.
    """
    online = estate.merchant_online[merchants]
    currency = _currencies()[estate.merchant_city[merchants]]
    local = np.maximum(np.rint(cents / _rates()[currency]), 1).astype(np.int64)
    near = np.where(local < _CONTACTLESS_CENTS, Channel.CONTACTLESS, Channel.POS)
    lat, lon = (who.home_lat, who.home_lon) if far is None else far
    stands = estate.merchant_lat[merchants], estate.merchant_lon[merchants]
    return _rows(
        Kind.PURCHASE,
        np.where(online, Channel.ONLINE, near),
        who,
        at,
        merchant=merchants,
        cents=local,
        currency=currency,
        instrument=instrument,
        device=np.where(online, who.device if device is None else device, NONE),
        lat=np.where(online, lat, stands[0]),
        lon=np.where(online, lon, stands[1]),
        insists=True,
    )


def withdrawals(
    estate: Estate, who: People, machines: Ints, at: Ints, cents: Any = 0, *, share: Any = 0.0
) -> Rows:
    """Cash taken out: `cents`, in whole notes, or a `share` of what is there."""
    currency = _currencies()[estate.atm_city[machines]]
    local = np.rint(np.asarray(cents) / _rates()[currency] / _NOTE_CENTS).astype(np.int64) * _NOTE_CENTS
    wanted = np.where(np.asarray(cents) > 0, np.maximum(local, _NOTE_CENTS), 0)
    rows = _at_machine(estate, Kind.WITHDRAWAL, who, machines, at, wanted)
    rows["share"], rows["currency"] = share, currency
    return rows


def deposits(estate: Estate, who: People, machines: Ints, at: Ints, cents: Ints) -> Rows:
    """Cash paid in, in notes of 10 EUR."""
    notes = np.maximum(cents // _NOTE_CENTS, 1) * _NOTE_CENTS
    return _at_machine(estate, Kind.DEPOSIT, who, machines, at, notes)


def enrolment(who: People, device: int, at: Ints) -> Rows:
    """A device becomes the customer's."""
    return _rows(Kind.ENROLMENT, Channel.ONLINE, who, at, device=device)


def innocent(rows: Rows) -> Rows:
    """The same rows, as no crime: what an honest person does in a case, and an investigator has to know."""
    rows["typology"] = NONE
    return rows


def _at_machine(estate: Estate, kind: Kind, who: People, machines: Ints, at: Ints, cents: Ints) -> Rows:
    lat, lon = estate.atm_lat[machines], estate.atm_lon[machines]
    return _rows(kind, Channel.ATM, who, at, atm=machines, cents=cents, lat=lat, lon=lon)


def _rows(kind: Kind, channel: Any, who: People, at: Ints, **columns: Any) -> Rows:
    moments = np.atleast_1d(at)
    return rows_of(
        len(moments),
        kind=kind,
        channel=channel,
        customer=who.customer,
        day=moments // DAY_MS,
        ms=moments % DAY_MS,
        **columns,
    )


@cache
def _currencies() -> Ints:
    """Index of the currency that is paid with in each city."""
    codes = [rate.currency for rate in load_rates().rates]
    of_country = {country.code: codes.index(country.currency) for country in load_places().countries}
    return np.array([of_country[city.country] for city in load_places().cities], dtype=np.int64)


@cache
def _rates() -> Floats:
    """Base currency for one unit of each currency on day 0."""
    return np.array([rate.rate for rate in load_rates().rates])
