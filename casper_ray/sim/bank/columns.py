"""Columns of text that several feeds share."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from casper_ray.domain import bank
from casper_ray.sim.bank.books import load_branches, load_categories, load_places, load_rates
from casper_ray.sim.bank.numbers import coded, hex_ids, transaction_ids
from casper_ray.sim.bank.rows import NONE, Rows
from casper_ray.sim.bank.streams import Ints, Salt, hashed

KIND_NAMES = pl.Series(
    [
        bank.PURCHASE,
        bank.WITHDRAWAL,
        bank.DEPOSIT,
        bank.TRANSFER_OUT,
        bank.TRANSFER_IN,
        bank.REVERSAL,
        bank.REFUND,
        bank.CHARGEBACK,
    ]
)
"""By Kind."""
CHANNEL_NAMES = pl.Series(["pos", "contactless", "online", "atm", "wire"])
RESULT_NAMES = pl.Series(bank.AUTH_RESULTS)
"""By Result."""


def amounts(cents: Ints) -> pl.Series:
    """Cents as a decimal string with two digits after the point."""
    cent = pl.col("cents")
    text = pl.format("{}.{}", cent // 100, (cent % 100).cast(pl.String).str.zfill(2))
    return pl.Series("cents", cents, dtype=pl.Int64).to_frame().select(text).to_series()


def merchant_ids(merchants: Ints) -> pl.Series:
    """M and seven digits; null for none."""
    return unless_none(coded("M", np.maximum(merchants, 0), 7), merchants)


def atm_ids(atms: Ints) -> pl.Series:
    """A and six digits; null for none."""
    return unless_none(coded("A", np.maximum(atms, 0), 6), atms)


def device_ids(seed: int, devices: Ints) -> pl.Series:
    """D and 16 hexadecimal digits; null for none."""
    return unless_none(hex_ids("D", hashed(seed, Salt.DEVICE, devices)), devices)


def original_ids(seed: int, rows: Rows) -> pl.Series:
    """Ids of what the rows undo; null where they undo nothing."""
    return unless_none(transaction_ids(seed, rows["original"]), rows["original"])


def unless_none(texts: pl.Series, numbers: Ints) -> pl.Series:
    """The texts, null where the number is NONE."""
    if not (numbers == NONE).any():
        return texts
    frame = pl.DataFrame({"text": texts, "known": numbers != NONE})
    return frame.select(pl.when("known").then("text")).to_series()


@cache
def branch_ids() -> pl.Series:
    """Of load_branches(), in order."""
    return coded("B", np.arange(len(load_branches())), 3)


@cache
def currencies() -> pl.Series:
    return pl.Series([rate.currency for rate in load_rates().rates])


@cache
def category_codes() -> pl.Series:
    """MCC of each of load_categories()."""
    return pl.Series([kind.mcc for kind in load_categories()])


@cache
def city_countries() -> pl.Series:
    return pl.Series([city.country for city in load_places().cities])
