"""Exchange rates by day: a random walk of the logarithm from the books' rates, told with eight digits."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from casper_ray.sim.bank.books import load_rates
from casper_ray.sim.bank.streams import Ints, Purpose, stream

UNIT = 10**8


def rate_table(seed: int, days: int) -> Ints:
    """Base currency for one unit, in 10^-8: one row a day, one column a currency in the books' order.

    Rules: a day's rate does not depend on how many days are asked for.
    """
    rates = load_rates().rates
    spread = np.array([rate.daily_sd for rate in rates])
    steps = [stream(seed, Purpose.RATES, day).standard_normal(len(rates)) * spread for day in range(1, days)]
    walk = np.cumsum([np.zeros(len(rates)), *steps], axis=0)
    table: Ints = np.rint(np.array([rate.rate for rate in rates]) * np.exp(walk) * UNIT).astype(np.int64)
    return table


def in_base(cents: Ints, currency: Ints, day_rates: Ints) -> Ints:
    """Cents of the base currency at a day's rates, rounded half up; exact in whole numbers."""
    based: Ints = (cents * day_rates[currency] + UNIT // 2) // UNIT
    return based


def rate_frame(seed: int, days: int, epoch: datetime) -> pl.DataFrame:
    """One row per currency and day: currency, day (date), valid_from (UTC, the day's start), rate Decimal(18, 8),
    source. Sorted by day, currency.
    """
    rates = load_rates()
    table = rate_table(seed, days)
    frame = pl.DataFrame(
        {
            "currency": [rate.currency for rate in rates.rates] * days,
            "day": [(epoch + timedelta(days=day)).date() for day in range(days) for _ in rates.rates],
            "units": table.ravel(),
        }
    )
    units = pl.col("units")
    text = pl.format("{}.{}", units // UNIT, (units % UNIT).cast(pl.String).str.zfill(8))
    return frame.select(
        "currency",
        "day",
        valid_from=pl.col("day").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        rate=text.cast(pl.Decimal(18, 8)),
        source=pl.lit(rates.source),
    ).sort("day", "currency")
