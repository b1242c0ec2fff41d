"""What was known before each transaction: features as of its instant, of the customer and of the other side.

Nothing of the same instant or later is looked at. Follow-ups and enrolments count in no velocity.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casper_ray.sim.bank.hours import MS_PER_DAY, MS_PER_HOUR
from casper_ray.sim.bank.realism.money import arrivals, balances
from casper_ray.sim.bank.realism.transactions import is_decided
from casper_ray.sim.bank.realism.windows import before, firsts, line, since
from casper_ray.sim.bank.rows import NONE, Kind
from casper_ray.sim.bank.streams import Floats, Ints

_WINDOWS = {"1h": MS_PER_HOUR, "3h": 3 * MS_PER_HOUR, "24h": MS_PER_DAY, "7d": 7 * MS_PER_DAY}
_AMOUNTS_DAYS = 60
_LEAST_BALANCE_CENTS = 100
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_NO_PARTY = 1 << 60

OF_THE_TRANSACTION = (
    *("cents", "hour", "weekday", "kind", "channel", "instrument", "currency", "category", "merchant_risk"),
    *("online", "foreign", "party_kind", "purpose", "far_km"),
)
OF_THE_CUSTOMER = (
    *("p50", "p95", "p99", "to_p50", "to_p95", "to_kind_mean", "to_balance", "since_last_h", "km_from_last"),
    *(f"{what}_{window}" for what in ("count", "cents") for window in _WINDOWS),
    *("kind_24h", "kind_7d", "in_cents_72h", "to_in_72h", "in_degree_7d", "since_in_h"),
)
OF_BOTH = (
    *("new_payee", "payees_7d", "new_merchant", "new_merchants_24h", "known_h"),
    *("new_device", "device_age_h", "device_users", "device_new_24h", "device_1h"),
    *("counterparty_degree", "counterparty_1h", "counterparty_24h", "counterparty_new_24h"),
)
FEATURES = (*OF_THE_TRANSACTION, *OF_THE_CUSTOMER, *OF_BOTH)
"""Columns that are known when a transaction is decided on."""


def as_of(frame: pl.DataFrame) -> pl.DataFrame:
    """FEATURES of every row of `transactions` besides its columns, rows in the same order.

    Returns: p50, p95, p99 (of the customer's own amounts in 60 days) and to_* (the amount over that); count_* and
             cents_* (the customer's transactions in a window before), kind_* (those of the same kind); new_* (first
             time for this customer), known_h and device_age_h (hours since the first time; of the device of day 0
             more than a year); device_users (customers seen with it), device_1h and counterparty_1h (uses by
             anybody), counterparty_degree (customers who dealt with it before), *_new_24h (those who first did so
             in a day); in_* (what others paid to the customer). Null where there is nothing before, or no such
             thing.
    """
    customer, at, cents = (frame[name].to_numpy() for name in ("customer", "at_ms", "cents"))
    kind, told = frame["kind"].to_numpy(), is_decided(frame).to_numpy()
    columns = _velocities(customer, at, kind, cents, told)
    columns |= _of_devices(frame) | _of_counterparties(frame) | arrivals(frame)
    columns["balance"] = balances(frame)
    found = frame.with_columns(pl.Series(name, values) for name, values in columns.items())
    found = found.with_columns(*_own_amounts(found, told), km_from_last=_km_from_last())
    found = found.with_columns(
        to_p50=pl.col("cents") / pl.col("p50"),
        to_p95=pl.col("cents") / pl.col("p95"),
        to_kind_mean=pl.col("cents") / (pl.col("kind_cents") / pl.col("kind_count")),
        to_balance=pl.col("cents") / pl.max_horizontal("balance", _LEAST_BALANCE_CENTS),
        to_in_72h=pl.col("cents") / pl.col("in_cents_72h"),
    )
    floats = [name for name in FEATURES if found[name].dtype == pl.Float64]
    return found.with_columns(pl.when(pl.col(name).is_finite()).then(name).alias(name) for name in floats)


def _velocities(
    customer: Ints, at: Ints, kind: Ints, cents: Ints, told: NDArray[np.bool_]
) -> dict[str, Ints | Floats]:
    """Number and sum of what the customer did before."""
    mine, same = line(customer, at), line(customer * len(Kind) + kind, at)
    sums = np.where(told, cents, 0)
    columns: dict[str, Ints | Floats] = {"since_last_h": since(mine, told) / MS_PER_HOUR}
    for name, window in _WINDOWS.items():
        columns[f"count_{name}"] = before(mine, told, window)
        columns[f"cents_{name}"] = before(mine, sums, window)
    columns["kind_24h"] = before(same, told, _WINDOWS["24h"])
    columns["kind_7d"] = before(same, told, _WINDOWS["7d"])
    columns["kind_count"], columns["kind_cents"] = before(same, told), before(same, sums)
    return columns


def _of_devices(frame: pl.DataFrame) -> dict[str, Ints | Floats]:
    """A device is known from its enrolment or first use on; that of day 0 always was."""
    customer, at = frame["customer"].to_numpy(), frame["at_ms"].to_numpy()
    device = frame["device"].fill_null(NONE).to_numpy()
    none, always = device == NONE, device == frame["first_device"].to_numpy()
    first = firsts(customer, device, at)
    began = np.where(always, -365 * MS_PER_DAY, first.began)
    everyone, any_use = line(device, at), np.ones(len(at), dtype=np.bool_)
    return {
        "new_device": (first.new & ~none & ~always).astype(np.int64),
        "device_age_h": np.where(none, np.nan, (at - began) / MS_PER_HOUR),
        "device_users": np.where(none, 0, before(everyone, first.new)),
        "device_new_24h": np.where(none, 0, before(everyone, first.new, _WINDOWS["24h"])),
        "device_1h": np.where(none, 0, before(everyone, any_use, _WINDOWS["1h"])),
    }


def _of_counterparties(frame: pl.DataFrame) -> dict[str, Ints | Floats]:
    """The merchant, or the account that pays or is paid."""
    customer, at, kind = (frame[name].to_numpy() for name in ("customer", "at_ms", "kind"))
    other = frame.select(pl.coalesce("party", pl.col("merchant") + _NO_PARTY).fill_null(NONE)).to_series()
    none, first = other.to_numpy() == NONE, firsts(customer, other.to_numpy(), at)
    pays, buys = first.new & (kind == Kind.TRANSFER_OUT), first.new & (kind == Kind.PURCHASE)
    everyone, mine = line(other.to_numpy(), at), line(customer, at)
    any_deal = np.ones(len(at), dtype=np.bool_)
    return {
        "new_payee": pays.astype(np.int64),
        "payees_7d": before(mine, pays, _WINDOWS["7d"]),
        "new_merchant": buys.astype(np.int64),
        "new_merchants_24h": before(mine, buys, _WINDOWS["24h"]),
        "known_h": np.where(none, np.nan, (at - first.began) / MS_PER_HOUR),
        "counterparty_degree": np.where(none, 0, before(everyone, first.new)),
        "counterparty_1h": np.where(none, 0, before(everyone, any_deal, _WINDOWS["1h"])),
        "counterparty_24h": np.where(none, 0, before(everyone, any_deal, _WINDOWS["24h"])),
        "counterparty_new_24h": np.where(none, 0, before(everyone, first.new, _WINDOWS["24h"])),
    }


def _own_amounts(frame: pl.DataFrame, told: NDArray[np.bool_]) -> list[pl.Series]:
    """Quantiles of what the customer spent before, a purchase, a withdrawal or a transfer."""
    spent = pl.Series(told) & pl.col("kind").is_in([Kind.PURCHASE, Kind.WITHDRAWAL, Kind.TRANSFER_OUT])
    amounts = frame.select("customer", "at_ms", amount=pl.when(spent).then(pl.col("cents").cast(pl.Float64)))
    found = amounts.rolling(
        "at_ms", period=f"{_AMOUNTS_DAYS * MS_PER_DAY}i", closed="left", group_by="customer"
    ).agg(pl.col("amount").quantile(share).alias(name) for name, share in _QUANTILES.items())
    return [found[name] for name in _QUANTILES]


def _km_from_last() -> pl.Expr:
    """Kilometres from the place where the customer was last seen, be it at a shop or at home."""
    north, east = (
        pl.col(name) - pl.col(name).forward_fill().shift(1).over("customer")
        for name in ("north_km", "east_km")
    )
    return (north**2 + east**2).sqrt()
