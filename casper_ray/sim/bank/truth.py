"""What each transaction and each case really is. No agent's tool reads this."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from casper_ray.domain.bank import ATM, CARD, WIRE
from casper_ray.sim.bank.columns import RESULT_NAMES, amounts, unless_none
from casper_ray.sim.bank.crimes.all import PATTERNS
from casper_ray.sim.bank.engine import Engine
from casper_ray.sim.bank.hours import MS_PER_DAY
from casper_ray.sim.bank.numbers import coded, customer_ids, transaction_ids
from casper_ray.sim.bank.rows import Channel, Kind, Result, Rows
from casper_ray.sim.bank.streams import Ints

_INSTANT = pl.Datetime("us", "UTC")
_MONEY = pl.Decimal(18, 2)

CASES = pl.Schema(
    {
        "case_id": pl.String(),
        "typology": pl.String(),
        "twin": pl.Boolean(),
        "begin_day": pl.Int64(),
        "agent": pl.String(),
        "right_decision": pl.String(),
        "transactions": pl.Int64(),
        "amount_base": _MONEY,
    }
)
"""Columns of `truth_cases`."""


def truth_transactions(seed: int, rows: Rows, start_us: int) -> pl.DataFrame:
    """One row per transaction of a day's rows; see BankWorld.truth_transactions.

    Rules: what undoes a purchase, and what honest people do in a case, is no crime, though it carries the case. What
           is right to do about it is to approve.
    """
    rows = rows[rows["kind"] != Kind.ENROLMENT]
    typology = rows["typology"].astype(np.int64)
    ms = start_us // 1000 + rows["day"].astype(np.int64) * MS_PER_DAY + rows["ms"]
    feed = np.where(rows["channel"] == Channel.WIRE, 2, rows["channel"] == Channel.ATM)
    return pl.DataFrame(
        {
            "transaction_id": transaction_ids(seed, rows["number"]),
            "customer_id": customer_ids(rows["customer"].astype(np.int64)),
            "feed": pl.Series([CARD, ATM, WIRE]).gather(feed),
            "ts": pl.Series(ms * 1000).cast(_INSTANT),
            "amount_base": amounts(rows["base_cents"]).cast(_MONEY),
            "auth_result": RESULT_NAMES.gather(rows["result"].astype(np.int64)),
            "is_crime": typology > 0,
            "typology": _names().gather(typology),
            "twin_of": _names().gather(rows["twin"].astype(np.int64)),
            "case_id": case_ids(rows["case"].astype(np.int64)),
            "right_decision": _decisions().gather(typology),
        }
    )


def truth_cases(engine: Engine) -> pl.DataFrame:
    """One row per case that left a transaction; see BankWorld.truth_cases."""
    frames = [_of_cases(engine.rows(day)) for day in range(engine.days)]
    sums = pl.concat(frames).group_by("case").agg(pl.col("transactions", "cents").sum())
    deck = pl.DataFrame(
        [(c.number, c.pattern + 1, c.twin, c.begin_day) for c in engine.cases.deck],
        schema={"case": pl.Int64, "code": pl.Int64, "twin": pl.Boolean, "begin_day": pl.Int64},
        orient="row",
    )
    cases = deck.join(sums, on="case").sort("case")
    code = cases["code"].to_numpy()
    return cases.select(
        case_ids(cases["case"].to_numpy()).alias("case_id"),
        _names().gather(code).alias("typology"),
        "twin",
        "begin_day",
        _agents().gather(code).alias("agent"),
        _decisions().gather(np.where(cases["twin"].to_numpy(), 0, code)).alias("right_decision"),
        "transactions",
        amounts(cases["cents"].to_numpy()).cast(_MONEY).alias("amount_base"),
    )


def case_ids(cases: Ints) -> pl.Series:
    """K and eight digits; null for none."""
    return unless_none(lambda known: coded("K", known, 8), cases)


def _of_cases(rows: Rows) -> pl.DataFrame:
    """Transactions and approved cents of each case on a day: of crimes and twins themselves, not what undoes them."""
    told = rows[(rows["typology"] > 0) | (rows["twin"] > 0)]
    told = told[told["kind"] != Kind.ENROLMENT]
    cents = np.where(told["result"] == Result.APPROVED, told["base_cents"], 0)
    frame = pl.DataFrame({"case": told["case"].astype(np.int64), "cents": cents})
    return frame.group_by("case").agg(transactions=pl.len().cast(pl.Int64), cents=pl.col("cents").sum())


@cache
def _names() -> pl.Series:
    return pl.Series([None, *(pattern.name for pattern in PATTERNS)], dtype=pl.String)


@cache
def _decisions() -> pl.Series:
    return pl.Series(["approve", *(pattern.right_decision for pattern in PATTERNS)])


@cache
def _agents() -> pl.Series:
    return pl.Series([None, *(pattern.agent for pattern in PATTERNS)], dtype=pl.String)
