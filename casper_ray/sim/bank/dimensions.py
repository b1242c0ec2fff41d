"""The tables beside the feeds: who sells what where, banks, branches, machines, the list, rates."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from casper_ray.sim.bank.books import load_branches, load_categories, load_places
from casper_ray.sim.bank.columns import (
    atm_ids,
    branch_ids,
    category_codes,
    city_countries,
    merchant_ids,
    taken,
    unless_none,
)
from casper_ray.sim.bank.engine import Engine
from casper_ray.sim.bank.names import family_names
from casper_ray.sim.bank.party_text import counterparty_banks
from casper_ray.sim.bank.rates import rate_frame
from casper_ray.sim.bank.rows import NONE
from casper_ray.sim.bank.sanctions import sanctions_frame
from casper_ray.sim.bank.streams import Ints, Salt, below

_INSTANT = pl.Datetime("us", "UTC")


def dimensions(engine: Engine) -> dict[str, pl.DataFrame]:
    """One frame a dimension.

    merchants            one row per merchant and stretch of time: merchant_id, mcc, name, category, risk, city,
                         country, lat, lon, online (sells at a distance only), valid_from (UTC), valid_to (exclusive,
                         null: still). Sorted by merchant_id, valid_from; stretches of a merchant join without a gap
    merchant_categories  category, mcc, name, risk
    branches             branch_id, name, city, country, lat, lon
    atms                 atm_id, branch_id (null abroad), city, country, lat, lon
    counterparty_banks   bank_id, name, country; our own among them
    sanctions_list       entry_id, name, aliases, country, listed_on
    exchange_rates       currency, day (date), rate Decimal(18, 8): base currency for one unit; source. One day more
                         than the world's: events of its last day reach into it
    """
    return {
        "merchants": _merchants(engine),
        "merchant_categories": _categories(),
        "branches": _branches(),
        "atms": _atms(engine),
        "counterparty_banks": pl.DataFrame(
            [tuple(entry) for entry in counterparty_banks()],
            schema=["bank_id", "name", "country"],
            orient="row",
        ),
        "sanctions_list": sanctions_frame(engine.seed, engine.epoch),
        "exchange_rates": rate_frame(engine.seed, engine.days + 1, engine.epoch),
    }


def _merchants(engine: Engine) -> pl.DataFrame:
    estate, day0 = engine.estate, pl.lit(engine.epoch).cast(_INSTANT)
    number = np.arange(len(estate.merchant_city))
    changes = estate.change_day != NONE
    until = unless_none(pl.Series, estate.change_day)
    first = _stretch(engine, number, estate.merchant_category).with_columns(
        valid_from=day0 - timedelta(days=3650), valid_to=day0 + pl.duration(days=pl.lit(until))
    )
    moved = number[changes]
    second = _stretch(engine, moved, estate.new_category[moved]).with_columns(
        valid_from=day0 + pl.duration(days=pl.lit(pl.Series(estate.change_day[moved]))),
        valid_to=pl.lit(None, dtype=_INSTANT),
    )
    return pl.concat([first, second]).sort("merchant_id", "valid_from")


def _stretch(engine: Engine, number: Ints, category: Ints) -> pl.DataFrame:
    estate, kinds = engine.estate, load_categories()
    names = family_names()
    who = names.gather(below(engine.seed, Salt.NAME, number + (1 << 45), len(names)))
    return pl.DataFrame(
        {
            "merchant_id": merchant_ids(number),
            "mcc": category_codes().gather(category),
            "name": who
            + " "
            + pl.Series([kind.name for kind in kinds]).gather(estate.merchant_category[number]),
            "category": pl.Series([kind.code for kind in kinds]).gather(category),
            "risk": estate.merchant_risk[number],
            "city": pl.Series([city.name for city in load_places().cities]).gather(
                estate.merchant_city[number]
            ),
            "country": city_countries().gather(estate.merchant_city[number]),
            "lat": estate.merchant_lat[number] / 1e6,
            "lon": estate.merchant_lon[number] / 1e6,
            "online": estate.merchant_online[number],
        }
    )


def _categories() -> pl.DataFrame:
    kinds = load_categories()
    return pl.DataFrame(
        [(kind.code, kind.mcc, kind.name, kind.risk) for kind in kinds],
        schema=["category", "mcc", "name", "risk"],
        orient="row",
    )


def _branches() -> pl.DataFrame:
    where = {city.name: city for city in load_places().cities}
    rows = [
        (b.name, b.city, where[b.city].country, where[b.city].lat, where[b.city].lon) for b in load_branches()
    ]
    frame = pl.DataFrame(rows, schema=["name", "city", "country", "lat", "lon"], orient="row")
    return frame.select(branch_ids().alias("branch_id"), pl.all())


def _atms(engine: Engine) -> pl.DataFrame:
    estate = engine.estate
    return pl.DataFrame(
        {
            "atm_id": atm_ids(np.arange(len(estate.atm_city))),
            "branch_id": unless_none(lambda known: taken(branch_ids(), known), estate.atm_branch),
            "city": pl.Series([city.name for city in load_places().cities]).gather(estate.atm_city),
            "country": city_countries().gather(estate.atm_city),
            "lat": estate.atm_lat / 1e6,
            "lon": estate.atm_lon / 1e6,
        }
    )
