"""What a world looks like in figures, and between what they are to lie: one `Figure` each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from casper_ray.sim.bank.books import load_categories
from casper_ray.sim.bank.hours import MS_PER_DAY
from casper_ray.sim.bank.realism.separation import amount_rule, column_aucs
from casper_ray.sim.bank.realism.transactions import is_decided
from casper_ray.sim.bank.rows import Kind, Result

_LEAST_PURCHASES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of `as_of`'s table, and its bounds, both included."""

    name: str
    low: float
    high: float
    measure: Callable[[pl.DataFrame], float]


def purchases(frame: pl.DataFrame) -> pl.DataFrame:
    """Purchases that went through and are no crime's and no twin's."""
    return frame.filter(kind=Kind.PURCHASE, result=Result.APPROVED, is_crime=False, is_twin=False)


def category_means(frame: pl.DataFrame) -> pl.DataFrame:
    """One row per category: code, purchases, mean_eur, median_eur, asked_eur (the book's mean)."""
    books = load_categories()
    asked = pl.DataFrame(
        {
            "category": range(len(books)),
            "code": [b.code for b in books],
            "asked_eur": [b.mean_eur for b in books],
        }
    )
    euros = pl.col("cents") / 100
    found = (
        purchases(frame)
        .group_by("category")
        .agg(purchases=pl.len(), mean_eur=euros.mean(), median_eur=euros.median())
    )
    return asked.join(found, on="category").sort("category").drop("category")


def payees(frame: pl.DataFrame) -> pl.Series:
    """How many accounts each customer who transfers money pays."""
    sent = frame.filter(kind=Kind.TRANSFER_OUT)
    return sent.group_by("customer").agg(pl.col("party").n_unique())["party"]


def payers(frame: pl.DataFrame) -> pl.Series:
    """How many customers each account is paid by that any pays."""
    sent = frame.filter(kind=Kind.TRANSFER_OUT)
    return sent.group_by("party").agg(pl.col("customer").n_unique())["customer"]


def shoppers(frame: pl.DataFrame) -> pl.Series:
    """How many customers each merchant has that has any."""
    return (
        frame.filter(kind=Kind.PURCHASE).group_by("merchant").agg(pl.col("customer").n_unique())["customer"]
    )


def final_balances(frame: pl.DataFrame) -> pl.Series:
    """Cents before each customer's last transaction."""
    return frame.group_by("customer", maintain_order=True).agg(pl.col("balance").last())["balance"]


def _share(part: pl.DataFrame, whole: pl.DataFrame) -> float:
    return part.height / whole.height


def _of_kind(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    return frame.filter(kind=kind)


def _quantile(values: pl.Series, share: float) -> float:
    found = values.quantile(share)
    assert found is not None, "a world has customers who pay"
    return float(found)


def _a_day(frame: pl.DataFrame) -> float:
    days = int(frame.select(pl.col("day").max()).item()) + 1
    return frame.filter(is_decided(frame)).height / days / frame["customer"].n_unique()


def _per_thousand(frame: pl.DataFrame) -> float:
    told = frame.filter(pl.col("kind") != Kind.ENROLMENT)
    return 1000 * _share(told.filter("is_crime"), told)


def _twins_each(frame: pl.DataFrame) -> float:
    return _share(frame.filter("is_twin"), frame.filter("is_crime"))


def _off_by(frame: pl.DataFrame) -> float:
    """How far the mean of the category that is worst is from the book's."""
    often = category_means(frame).filter(pl.col("purchases") >= _LEAST_PURCHASES)
    return float(often.select((pl.col("mean_eur") / pl.col("asked_eur") - 1).abs().max()).item())


def _median_eur(frame: pl.DataFrame) -> float:
    return _quantile(purchases(frame)["cents"], 0.5) / 100


def _tail(frame: pl.DataFrame) -> float:
    cents = purchases(frame)["cents"]
    return _quantile(cents, 0.99) / _quantile(cents, 0.5)


def _hours(first: int, last: int) -> Callable[[pl.DataFrame], float]:
    """Share of purchases from hour `first` to hour `last`, past midnight if that is less."""

    def share(frame: pl.DataFrame) -> float:
        bought, hour = purchases(frame), pl.col("hour")
        inside = (hour >= first) & (hour <= last) if first <= last else (hour >= first) | (hour <= last)
        return _share(bought.filter(inside), bought)

    return share


def _weekend(frame: pl.DataFrame) -> float:
    bought = purchases(frame)
    return _share(bought.filter(pl.col("weekday").is_in([4, 5])), bought)


def _followed(kind: Kind, per: float) -> Callable[[pl.DataFrame], float]:
    return lambda frame: per * _share(_of_kind(frame, kind), _of_kind(frame, Kind.PURCHASE))


def _declined(frame: pl.DataFrame) -> float:
    told = frame.filter(is_decided(frame))
    return 100 * _share(told.filter(pl.col("result") != Result.APPROVED), told)


def _charged_back_days(frame: pl.DataFrame) -> float:
    undone = _of_kind(frame, Kind.CHARGEBACK).select(number="original", later_ms="at_ms")
    both = frame.select("number", "at_ms").join(undone, on="number")
    return float(both.select((pl.col("later_ms") - pl.col("at_ms")).median()).item() / MS_PER_DAY)


def _among_purchases(name: str) -> Callable[[pl.DataFrame], float]:
    return lambda frame: 100 * _share(purchases(frame).filter(name), purchases(frame))


def _cash(frame: pl.DataFrame) -> float:
    return 100 * _share(_of_kind(frame, Kind.WITHDRAWAL), frame.filter(is_decided(frame)))


def _overdrawn(frame: pl.DataFrame) -> float:
    held = final_balances(frame)
    return 100 * float((held < 0).sum()) / len(held)


def _grown(frame: pl.DataFrame) -> float:
    """Median balance at the end over that before day 0."""
    opened = frame.group_by("customer").agg(pl.col("opening_cents").first())["opening_cents"]
    return _quantile(final_balances(frame), 0.5) / _quantile(opened, 0.5)


def _heavy(values: Callable[[pl.DataFrame], pl.Series]) -> Callable[[pl.DataFrame], float]:
    return lambda frame: _quantile(values(frame), 0.99) / _quantile(values(frame), 0.5)


FIGURES = (
    Figure(name="transactions a customer a day", low=1.0, high=2.0, measure=_a_day),
    Figure(name="crimes in 1,000 transactions", low=0.75, high=1.35, measure=_per_thousand),
    Figure(name="twins' transactions for one of a crime", low=2.5, high=6.0, measure=_twins_each),
    Figure(name="purchase, median EUR", low=15, high=35, measure=_median_eur),
    Figure(name="purchase, 99th percentile over median", low=6, high=25, measure=_tail),
    Figure(name="mean of a category over the book's, worst: off by", low=0, high=0.35, measure=_off_by),
    Figure(name="purchases 10:00-19:59", low=0.55, high=0.85, measure=_hours(10, 19)),
    Figure(name="purchases 22:00-03:59", low=0.03, high=0.12, measure=_hours(22, 3)),
    Figure(name="purchases on Fridays and Saturdays", low=0.30, high=0.40, measure=_weekend),
    Figure(name="% of purchases online", low=10, high=35, measure=_among_purchases("online")),
    Figure(name="% of purchases in another currency", low=1, high=12, measure=_among_purchases("foreign")),
    Figure(name="% of transactions that are withdrawals", low=3, high=10, measure=_cash),
    Figure(name="accounts a payer pays, median", low=3, high=12, measure=lambda f: _quantile(payees(f), 0.5)),
    Figure(
        name="accounts a payer pays, 99th percentile",
        low=6,
        high=30,
        measure=lambda f: _quantile(payees(f), 0.99),
    ),
    Figure(name="payers of an account, median", low=1, high=2, measure=lambda f: _quantile(payers(f), 0.5)),
    Figure(
        name="payers of an account, most", low=30, high=3_000, measure=lambda f: _quantile(payers(f), 1.0)
    ),
    Figure(
        name="customers of a merchant, 99th percentile over median", low=3, high=60, measure=_heavy(shoppers)
    ),
    Figure(name="% declined", low=0.4, high=4, measure=_declined),
    Figure(name="% of purchases reversed", low=0.25, high=0.55, measure=_followed(Kind.REVERSAL, 100)),
    Figure(name="% of purchases refunded", low=0.6, high=2.0, measure=_followed(Kind.REFUND, 100)),
    Figure(
        name="chargebacks of 10,000 purchases", low=0.5, high=8, measure=_followed(Kind.CHARGEBACK, 10_000)
    ),
    Figure(name="days to a chargeback, median", low=21, high=56, measure=_charged_back_days),
    Figure(name="% of customers overdrawn at the end", low=1, high=30, measure=_overdrawn),
    Figure(name="median balance, end over opening", low=0.5, high=2.5, measure=_grown),
    Figure(
        name="best single column, AUC", low=0.5, high=0.85, measure=lambda f: max(column_aucs(f).values())
    ),
    Figure(name="best rule by amount alone, F1", low=0, high=0.3, measure=lambda f: amount_rule(f).f1),
)
"""All but the learnt baseline's. Bounds are ours, see the reference page."""

PR_AUC = (0.4, 0.9)
"""Bounds of the learnt baseline's PR-AUC."""


def measured(frame: pl.DataFrame) -> dict[str, float]:
    """Each figure of a world, by name. `frame`: of `as_of`."""
    return {figure.name: figure.measure(frame) for figure in FIGURES}


def out_of_bounds(found: dict[str, float]) -> list[str]:
    """What lies beyond its bounds, in words; empty: nothing."""
    return [
        f"{figure.name}: {found[figure.name]:.4g} is not within {figure.low:g} and {figure.high:g}"
        for figure in FIGURES
        if not figure.low <= found[figure.name] <= figure.high
    ]
