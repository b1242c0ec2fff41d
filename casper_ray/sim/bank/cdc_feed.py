"""The feed of changes of customers, with the row before and after each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from casper_ray.domain.bank import CDC_COLUMNS, CUSTOMER_FIELDS
from casper_ray.sim.bank.books import load_places, load_profiles
from casper_ray.sim.bank.changes import Change, Image, Op, changes_on, first_image, insert_ms
from casper_ray.sim.bank.columns import amounts, branch_ids, city_countries, device_ids
from casper_ray.sim.bank.engine import Engine
from casper_ray.sim.bank.hours import MS_PER_DAY
from casper_ray.sim.bank.names import person_names, phone_numbers, street_addresses
from casper_ray.sim.bank.numbers import account_numbers, customer_ids, hex_ids, own_accounts
from casper_ray.sim.bank.people import People, people
from casper_ray.sim.bank.rows import CREDIT, DEBIT
from casper_ray.sim.bank.streams import Ints, Salt, below, hashed, mixed
from casper_ray.sim.text import timestamps

_OPS = pl.Series([op.name.lower() for op in Op])
_DAYS_A_YEAR = 365


def cdc_events(engine: Engine, day: int, from_ms: int, to_ms: int) -> pl.DataFrame:
    """Changes of a day with from_ms <= ms < to_ms, sorted by (ts_us, event_id).

    Returns: CDC_COLUMNS and ts_us; `before` and `after` are structs of CUSTOMER_FIELDS or null.
    """
    changes = [*_inserts(engine, from_ms, to_ms)] if day == 0 else []
    if day >= 0:
        changes += [change for change in changes_on(engine, day) if from_ms <= change.ms < to_ms]
    customer = np.array([change.customer for change in changes], dtype=np.int64)
    lsn = np.array([change.lsn for change in changes], dtype=np.int64)
    ms = engine.start_us // 1000 + day * MS_PER_DAY + np.array([c.ms for c in changes], dtype=np.int64)
    words = mixed(hashed(engine.seed, Salt.CHANGE, customer) + lsn.astype(np.uint64))
    who = people(engine.seed, customer)
    frame = pl.DataFrame(
        {
            "event_id": hex_ids("E", words),
            "op": _OPS.gather(np.array([int(change.op) for change in changes], dtype=np.int64)),
            "ts": timestamps(ms),
            "customer_id": customer_ids(customer),
            "lsn": lsn,
            "before": _images(engine.seed, who, [change.before for change in changes]),
            "after": _images(engine.seed, who, [change.after for change in changes]),
            "ts_us": ms * 1000,
        }
    )
    return frame.select(*CDC_COLUMNS, "ts_us").sort("ts_us", "event_id")


def _inserts(engine: Engine, from_ms: int, to_ms: int) -> list[Change]:
    """Customers who are told on day 0 within the window."""
    found = []
    for shard in range(engine.scenario.shards):
        who = engine.people(shard)
        told = insert_ms(who.customer, engine.scenario.customers)
        for place in np.flatnonzero((told >= from_ms) & (told < to_ms)).tolist():
            after = first_image(who, place)
            found.append(Change(int(who.customer[place]), int(told[place]), Op.INSERT, 1, None, after))
    return found


def _images(seed: int, who: People, images: Sequence[Image | None]) -> pl.Series:
    """The customers' rows as structs, null where there is no image."""
    there = np.array([image is not None for image in images], dtype=bool)

    def field(name: str) -> Ints:
        return np.array([0 if image is None else getattr(image, name) for image in images], dtype=np.int64)

    places, profiles = load_places(), load_profiles()
    given, family = person_names(seed, who.customer)
    credit = account_numbers(own_accounts(who.customer, CREDIT))
    born = below(seed, Salt.PROFILE, who.customer * 32 + 31, _DAYS_A_YEAR)
    first_days = (who.birth_year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    frame = pl.DataFrame(
        {
            "customer_id": customer_ids(who.customer),
            "account_number": account_numbers(own_accounts(who.customer, DEBIT)),
            "credit_account": pl.DataFrame({"text": credit, "has": who.has_credit})
            .select(pl.when("has").then("text"))
            .to_series(),
            "given_name": given,
            "family_name": family,
            "birth_date": pl.Series((first_days + born).astype(np.int32)).cast(pl.Date).cast(pl.String),
            "street": street_addresses(seed, who.customer, field("moves")),
            "city": pl.Series([city.name for city in places.cities]).gather(who.city),
            "country": city_countries().gather(who.city),
            "phone": phone_numbers(seed, who.customer),
            "income_band": pl.Series([band.name for band in profiles.incomes]).gather(who.income),
            "segment": pl.Series([band.segment for band in profiles.incomes]).gather(who.income),
            "branch_id": branch_ids().gather(who.branch),
            "device_id": device_ids(seed, field("device")),
            "devices": field("devices"),
            "limit_card": amounts(field("limit_card")),
            "limit_atm": amounts(field("limit_atm")),
            "limit_wire": amounts(field("limit_wire")),
            "overdraft": amounts(who.overdraft_cents),
            "credit_limit": amounts(field("credit_limit")),
        }
    )
    packed = pl.DataFrame({"there": there, "row": frame.select(CUSTOMER_FIELDS).to_struct("row")})
    return packed.select(pl.when("there").then("row")).to_series()
