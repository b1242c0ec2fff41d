"""Columns of text that several feeds share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

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
    whole, part = np.divmod(cents.astype(np.int64), 100)
    return (pl.Series(whole).cast(pl.String) + taken(_after_the_point(), part)).alias("")


def merchant_ids(merchants: Ints) -> pl.Series:
    """M and seven digits."""
    return coded("M", merchants, 7)


def atm_ids(atms: Ints) -> pl.Series:
    """A and six digits."""
    return coded("A", atms, 6)


def device_ids(seed: int, devices: Ints) -> pl.Series:
    """D and 16 hexadecimal digits; null for none."""
    return unless_none(lambda known: hex_ids("D", hashed(seed, Salt.DEVICE, known)), devices)


def original_ids(seed: int, rows: Rows) -> pl.Series:
    """Ids of what the rows undo; null where they undo nothing."""
    return unless_none(lambda known: transaction_ids(seed, known), rows["original"])


def unless_none(text_of: Callable[[Ints], pl.Series], numbers: Ints) -> pl.Series:
    """The texts of the numbers, null for NONE."""
    known = numbers != NONE
    return taken_where(known, text_of(numbers[known]), np.cumsum(known) - 1)


def taken(table: pl.Series, index: Ints) -> pl.Series:
    """The table's values at the indexes, from 0."""
    return table[index] if len(index) else table.clear()


def taken_where(holds: NDArray[np.bool_], table: pl.Series, index: Ints) -> pl.Series:
    """The table's values at the indexes where it holds, else null."""
    with_null = table.extend_constant(None, 1)
    return taken(with_null, np.where(holds, index, len(table)))


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


@cache
def _after_the_point() -> pl.Series:
    return pl.Series([f".{part:02d}" for part in range(100)])
