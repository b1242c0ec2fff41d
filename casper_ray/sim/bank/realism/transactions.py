"""All transactions of a world as one table of numbers, with what each really is."""

from __future__ import annotations

import numpy as np
import polars as pl

from casper_ray.sim.bank.habits import device_on
from casper_ray.sim.bank.hours import MS_PER_DAY, MS_PER_HOUR
from casper_ray.sim.bank.parties import kinds
from casper_ray.sim.bank.people import MICRO_PER_KM, people
from casper_ray.sim.bank.rows import NONE, Channel, Kind, Rows, together
from casper_ray.sim.bank.streams import Floats, Ints
from casper_ray.sim.bank.world import BankWorld

FOLLOW_UPS = (Kind.REVERSAL, Kind.REFUND, Kind.CHARGEBACK)
"""What undoes a purchase: processors and shops begin it, nobody decides on it."""


def transactions(world: BankWorld) -> pl.DataFrame:
    """One row per transaction and enrolment of the whole world, sorted by (customer, at_ms).

    Returns: number, original, customer, day, at_ms (milliseconds since the start of day 0), hour and weekday (0 is
             Monday), kind, channel, instrument, currency, result, purpose (codes), cents (base currency, above 0;
             0 of an enrolment), party, party_kind, merchant, category (index of the books), merchant_risk (0 to 1),
             device, first_device (the customer's on day 0), north_km, east_km and far_km (from home; null of a
             transfer), online, foreign, case, typology and twin (codes, 0: none), is_crime, is_twin, follow_up
             (undoes a purchase), opening_cents (of the customer, before day 0). What there is not of a row is null.
    """
    rows = together([world.engine.rows(day) for day in range(world.days)])
    rows = rows[np.lexsort((rows["number"], _at_ms(rows), rows["customer"]))]
    who = people(world.seed, np.arange(world.scenario.customers))
    customer = rows["customer"].astype(np.int64)
    shop = rows["merchant"].astype(np.int64)
    estate = world.engine.estate
    category = np.where(shop == NONE, NONE, estate.category_on(shop, rows["day"]))
    north, east = _km(rows, who.home_lat[customer], who.home_lon[customer])
    located = (rows["kind"] != Kind.ENROLMENT) & (rows["channel"] != Channel.WIRE)
    columns = {
        name: rows[name].astype(np.int64)
        for name in (
            *("number", "original", "customer", "day", "kind", "channel", "instrument", "currency", "result"),
            *("purpose", "party", "merchant", "device", "case", "typology", "twin"),
        )
    }
    frame = pl.DataFrame(
        {
            **columns,
            "at_ms": _at_ms(rows),
            "hour": rows["ms"] // MS_PER_HOUR,
            "weekday": (world.epoch.weekday() + rows["day"].astype(np.int64)) % 7,
            "cents": rows["base_cents"],
            "party_kind": kinds(rows["party"]),
            "category": category,
            "merchant_risk": np.where(shop == NONE, np.nan, estate.merchant_risk[shop]),
            "first_device": device_on(world.seed, who, 0)[customer],
            "north_km": np.where(located, north, np.nan),
            "east_km": np.where(located, east, np.nan),
            "opening_cents": who.opening_cents[customer],
        }
    )
    absent = ("original", "party", "party_kind", "merchant", "category", "device", "case")
    return frame.with_columns(
        *(pl.when(pl.col(name) != NONE).then(name).alias(name) for name in absent),
        pl.col("merchant_risk", "north_km", "east_km").fill_nan(None),
        far_km=(pl.col("north_km") ** 2 + pl.col("east_km") ** 2).sqrt().fill_nan(None),
        online=pl.col("channel") == Channel.ONLINE,
        foreign=pl.col("currency") != 0,
        is_crime=pl.col("typology") > 0,
        is_twin=pl.col("twin") > 0,
        follow_up=pl.col("kind").is_in(FOLLOW_UPS),
    )


def is_decided(frame: pl.DataFrame) -> pl.Series:
    """Whether somebody has to decide on a row: it is a transaction, and undoes no other."""
    return frame.select((pl.col("kind") != Kind.ENROLMENT) & ~pl.col("follow_up")).to_series()


def _at_ms(rows: Rows) -> Ints:
    at: Ints = rows["day"].astype(np.int64) * MS_PER_DAY + rows["ms"]
    return at


def _km(rows: Rows, lat: Ints, lon: Ints) -> tuple[Floats, Floats]:
    """How far north and east of other places the rows' are, on a flat map: good to some percent where it matters."""
    north = (rows["lat"] - lat) / MICRO_PER_KM
    east = (rows["lon"] - lon) / MICRO_PER_KM * np.cos(np.deg2rad(lat / 1e6))
    return north, east
