"""The feed of changes of customers, with the row before and after each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import polars as pl

from casper_ray.domain.bank import CDC_COLUMNS, CUSTOMER_FIELDS
from casper_ray.sim.bank.books import load_places, load_profiles
from casper_ray.sim.bank.changes import (
    IMAGE,
    INSERTS_LAST_MS,
    Change,
    Images,
    Op,
    changes_on,
    first_images,
    insert_ms,
)
from casper_ray.sim.bank.columns import amounts, branch_ids, city_countries, device_ids, taken_where
from casper_ray.sim.bank.engine import Engine
from casper_ray.sim.bank.hours import MS_PER_DAY
from casper_ray.sim.bank.names import person_names, phone_numbers, street_addresses
from casper_ray.sim.bank.numbers import account_numbers, customer_ids, hex_ids, own_accounts
from casper_ray.sim.bank.people import People, people
from casper_ray.sim.bank.rows import CREDIT, DEBIT
from casper_ray.sim.bank.streams import Ints, Salt, below, hashed, mixed
from casper_ray.sim.cache import BoundedCache
from casper_ray.sim.text import timestamps

_OPS = pl.Series([op.name.lower() for op in Op])
_DAYS_A_YEAR = 365


class _Told(NamedTuple):
    """Changes in columns; ms since the day's start."""

    customer: Ints
    ms: Ints
    op: Ints
    lsn: Ints
    before: Images
    after: Images

    def and_then(self, changes: Sequence[Change]) -> _Told:
        numbers = np.array([change[:4] for change in changes], dtype=np.int64).reshape(-1, 4)
        images = (np.array([change[which] for change in changes], dtype=IMAGE) for which in (4, 5))
        parts = (*numbers.T, *images)
        return _Told(*(np.concatenate([held, more]) for held, more in zip(self, parts, strict=True)))


_CHANGES: BoundedCache[tuple[Change, ...]] = BoundedCache(50_000_000, lambda found: 1_000 * (1 + len(found)))
"""Of a day: finding them means looking at every customer, and a day is cut into many windows."""


def cdc_events(engine: Engine, day: int, from_ms: int, to_ms: int) -> pl.DataFrame:
    """Changes of a day with from_ms <= ms < to_ms, sorted by (ts_us, event_id).

    Returns: CDC_COLUMNS and ts_us; `before` and `after` are structs of CUSTOMER_FIELDS or null.
    """
    told = _inserts(engine, from_ms, to_ms) if day == 0 else _none()
    if day >= 0:
        changes = _CHANGES.get(engine.key(day), lambda: tuple(changes_on(engine, day)))
        told = told.and_then([change for change in changes if from_ms <= change.ms < to_ms])
    if not len(told.customer):
        return _no_events(engine.seed)
    return _events(engine.seed, engine.start_us // 1000 + day * MS_PER_DAY, told)


@lru_cache(maxsize=4)
def _no_events(seed: int) -> pl.DataFrame:
    """No changes: what most windows have, and it takes as long to put in columns as some."""
    return _events(seed, 0, _none())


def _events(seed: int, day_start_ms: int, told: _Told) -> pl.DataFrame:
    ms = day_start_ms + told.ms
    words = mixed(hashed(seed, Salt.CHANGE, told.customer) + told.lsn.astype(np.uint64))
    who = people(seed, told.customer)
    frame = pl.DataFrame(
        {
            "event_id": hex_ids("E", words),
            "op": _OPS.gather(told.op),
            "ts": timestamps(ms),
            "customer_id": customer_ids(told.customer),
            "lsn": told.lsn,
            "before": _images(seed, who, told.before),
            "after": _images(seed, who, told.after),
            "ts_us": ms * 1000,
        }
    )
    return frame.select(*CDC_COLUMNS, "ts_us").sort("ts_us", "event_id")


def _none() -> _Told:
    none = np.empty(0, dtype=np.int64)
    return _Told(none, none, none, none, np.empty(0, dtype=IMAGE), np.empty(0, dtype=IMAGE))


def _inserts(engine: Engine, from_ms: int, to_ms: int) -> _Told:
    """Customers who are told on day 0 within the window."""
    most = engine.scenario.customers
    first, end = (min(max(-(-ms * most // INSERTS_LAST_MS), 0), most) for ms in (from_ms, to_ms))
    numbers = np.arange(first, end)
    one = np.ones(len(numbers), dtype=np.int64)
    return _Told(
        numbers,
        insert_ms(numbers, most),
        one * Op.INSERT,
        one,
        np.zeros(len(numbers), dtype=IMAGE),
        first_images(people(engine.seed, numbers)),
    )


def _images(seed: int, who: People, images: Images) -> pl.Series:
    """The customers' rows as structs, null where there is none."""
    places, profiles = load_places(), load_profiles()
    given, family = person_names(seed, who.customer)
    credit = account_numbers(own_accounts(who.customer, CREDIT))
    born = below(seed, Salt.PROFILE, who.customer * 32 + 31, _DAYS_A_YEAR)
    first_days = (who.birth_year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    frame = pl.DataFrame(
        {
            "customer_id": customer_ids(who.customer),
            "account_number": account_numbers(own_accounts(who.customer, DEBIT)),
            "credit_account": taken_where(who.has_credit, credit, np.arange(len(credit))),
            "given_name": given,
            "family_name": family,
            "birth_date": pl.Series((first_days + born).astype(np.int32)).cast(pl.Date).cast(pl.String),
            "street": street_addresses(seed, who.customer, images["moves"].astype(np.int64)),
            "city": pl.Series([city.name for city in places.cities]).gather(who.city),
            "country": city_countries().gather(who.city),
            "phone": phone_numbers(seed, who.customer),
            "income_band": pl.Series([band.name for band in profiles.incomes]).gather(who.income),
            "segment": pl.Series([band.segment for band in profiles.incomes]).gather(who.income),
            "branch_id": branch_ids().gather(who.branch),
            "device_id": device_ids(seed, images["device"].astype(np.int64)),
            "devices": images["devices"].astype(np.int64),
            "limit_card": amounts(images["limit_card"].astype(np.int64)),
            "limit_atm": amounts(images["limit_atm"].astype(np.int64)),
            "limit_wire": amounts(images["limit_wire"].astype(np.int64)),
            "overdraft": amounts(who.overdraft_cents),
            "credit_limit": amounts(images["credit_limit"].astype(np.int64)),
        }
    )
    packed = pl.DataFrame({"there": images["there"], "row": frame.select(CUSTOMER_FIELDS).to_struct("row")})
    return packed.select(pl.when("there").then("row")).to_series()
