"""The gate over columns: which rows need no look at each other, so that they can be judged together."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from casper_ray.agents.ledger import Ledger

if TYPE_CHECKING:
    from casper_ray.agents.gate import GateRules


def without_money(facts: pl.DataFrame, rules: GateRules) -> pl.Series:
    """Rows that are approved without a look at the ledger: no money, nothing missing, not for a person."""
    plain = _for_machine(rules) & (pl.col("asked").fill_null(0) == 0) & (pl.col("amount") == 0)
    return facts.select(plain.fill_null(False)).to_series()


def unbounded(facts: pl.DataFrame, rules: GateRules, ledger: Ledger) -> pl.Series:
    """Rows whose payment no limit can touch, in whatever order the rows are judged: they are approved as asked.

    facts:  rows that may pay, all that are judged in one go.
    Rules:  true for all rows of a customer or for none. It is true where all of them ask for what is due, within
            every limit of a single payment; nobody else asks for the same thing; the customer's days stay within the
            day's limit and within the velocity, all rows taken together; and the ledger has none of it.
    """
    day = pl.col("at").dt.date()
    alone = pl.col("pays_for").is_unique() & pl.col("case_id").is_unique()
    new = ~(
        pl.col("customer").is_in(pl.Series(list(ledger.customers), dtype=pl.String).implode())
        | pl.col("pays_for").is_in(pl.Series(list(ledger.paid_things), dtype=pl.String).implode())
        | pl.col("case_id").is_in(pl.Series(list(ledger.cases), dtype=pl.String).implode())
    )
    of_day = pl.col("amount").sum().over("customer", day) <= rules.cap_customer_day
    free = (_by_itself(rules) & alone & new & of_day & _slow_enough(rules, day)).fill_null(False)
    rows = facts.select(pl.all(), free.alias("free"))
    return rows.select(pl.col("customer").is_not_null() & pl.col("free").all().over("customer")).to_series()


def _for_machine(rules: GateRules) -> pl.Expr:
    """Nothing of it is for a person."""
    needed = pl.lit(True)
    for outcome, tools in rules.needs.items():
        for tool in tools:
            needed = needed & ((pl.col("outcome") != outcome) | pl.col("evidence").list.contains(tool))
    return (
        pl.col("outcome").is_not_null()
        & pl.col("failure").is_null()
        & ~pl.col("outcome").is_in(list(rules.people))
        & pl.col("confidence").fill_null(1.0).is_between(rules.confidence_at_least, 1)
        & needed
    )


def _by_itself(rules: GateRules) -> pl.Expr:
    """A payment that passes every rule which looks at it alone."""
    amount = pl.col("amount")
    fits = (amount > 0) & (pl.col("asked") == amount) & (amount <= rules.cap) & (amount <= pl.col("payable"))
    if rules.two_people_above is not None:
        fits = fits & (amount <= rules.two_people_above)
    return _for_machine(rules) & fits


def _slow_enough(rules: GateRules, day: pl.Expr) -> pl.Expr:
    """Whether the row so many payments back, by the customer's days, is out of the velocity's reach."""
    if rules.velocity is None:
        return pl.lit(True)
    back = day.sort().shift(rules.velocity.payments)
    apart = (day.sort() - back) >= timedelta(days=rules.velocity.days)
    return apart.fill_null(True).all().over("customer")
