"""What a world's days cost a bank: liquidity and losses, a row a day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from casper_ray.domain.bank import ATM, CARD, CHARGEBACK, DECLINED, POSTED, PURCHASE, WIRE, WITHDRAWAL
from casper_ray.domain.time import US_PER_DAY, SimMicros, as_datetime, sim_micros
from casper_ray.medallion.bank.assumptions import assumptions
from casper_ray.medallion.bank.form import IN, OUT
from casper_ray.medallion.bank.liquidity import coverage, daily_flows
from casper_ray.medallion.bank.measures import counted, worth
from casper_ray.medallion.bank.money import from_units
from casper_ray.sim.bank.columns import KIND_NAMES
from casper_ray.sim.bank.parties import is_own
from casper_ray.sim.bank.rows import Channel, Kind, Result, Rows
from casper_ray.sim.bank.scenario import DEFAULT_CUSTOMERS
from casper_ray.sim.bank.transfers import Reason
from casper_ray.sim.bank.world import BankWorld

_PAYS_OUT = (Kind.PURCHASE, Kind.WITHDRAWAL, Kind.TRANSFER_OUT)
_CENTS = 2
_BP = 10_000


def stress_days(world: BankWorld) -> Iterator[pl.DataFrame]:
    """A day after the other, one row each: flows of `gold_liquidity_daily`, and losses.

    Returns: number (of the day), day; card, cash and transfers, in and out, as `daily_flows` has them; how many, and
             *_amount, of posted purchases and of pay (salaries that came); withdrawals; declined, what was refused;
             crimes_amount, what went through by crimes; chargebacks; chargeback_loss, the bank's share of them by
             configs/finance/bank.yml. Amounts in BASE_CURRENCY, Decimal(18, 2).
    Rules:   straight from the world, without feeds or tables: by the day on which a transaction was made, where the
             tables go by the one on which it was concluded. A day is held at a time.
    """
    start = sim_micros(world.epoch)
    for number in range(world.days):
        day = as_datetime(SimMicros(start + number * US_PER_DAY)).date()
        rows = _in_silver_form(world.engine.rows(number)).with_columns(pl.lit(day).alias("txn_day"))
        flows = daily_flows(rows).drop("day").sum()
        head = pl.DataFrame({"number": [number], "day": [day]})
        yield pl.concat([head, flows, _losses(rows)], how="horizontal")


def with_coverage(days: pl.DataFrame, customers: int) -> pl.DataFrame:
    """The days with outflows, inflows, net, hqla and lcr of `gold_liquidity_daily`.

    Rules: the assets before the first day are for DEFAULT_CUSTOMERS; a bank of others has them in proportion.
    """
    opening = assumptions().liquidity.opening_hqla * customers // DEFAULT_CUSTOMERS
    return coverage(days, opening)


def _in_silver_form(rows: Rows) -> pl.DataFrame:
    """The rows as far as `silver_transactions` has them in columns, and `reason`."""
    kind = rows["kind"].astype(np.int64)
    told = kind != Kind.ENROLMENT
    rows, kind = rows[told], kind[told]
    feed = np.where(rows["channel"] == Channel.WIRE, 2, rows["channel"] == Channel.ATM)
    posted = rows["result"] == Result.APPROVED
    outgoing = np.isin(kind, _PAYS_OUT)
    wire = rows["channel"] == Channel.WIRE
    frame = pl.DataFrame(
        {
            "cents": rows["base_cents"],
            "internal": wire & is_own(rows["party"]),
            "reason": np.where(kind == Kind.TRANSFER_IN, rows["purpose"], Reason.NONE).astype(np.int64),
            "crime": rows["typology"] > 0,
        }
    )
    return frame.with_columns(
        pl.Series("feed", [CARD, ATM, WIRE]).gather(feed),
        pl.Series("status", [DECLINED, POSTED]).gather(posted.astype(np.int64)),
        pl.Series("direction", [IN, OUT]).gather(outgoing.astype(np.int64)),
        KIND_NAMES.gather(kind).alias("transaction_type"),
        from_units(pl.col("cents"), _CENTS).alias("amount_base"),
    )


def _losses(rows: pl.DataFrame) -> pl.DataFrame:
    kind, posted = pl.col("transaction_type"), pl.col("status") == POSTED
    bought, drawn = posted & (kind == PURCHASE), posted & (kind == WITHDRAWAL)
    paid = posted & (pl.col("reason") == Reason.SALARY) & ~pl.col("crime")
    disputed = posted & (kind == CHARGEBACK)
    declined = ~posted
    sums = rows.select(
        counted(bought).sum().alias("purchases"),
        worth(bought).sum().alias("purchases_amount"),
        counted(drawn).sum().alias("withdrawals"),
        counted(paid).sum().alias("pay"),
        worth(paid).sum().alias("pay_amount"),
        counted(declined).sum().alias("declined"),
        worth(declined).sum().alias("declined_amount"),
        worth(posted & pl.col("crime")).sum().alias("crimes_amount"),
        counted(disputed).sum().alias("chargebacks"),
        worth(disputed).sum().alias("chargebacks_amount"),
    )
    share = assumptions().pnl.chargeback_loss_bp
    cents = (pl.col("chargebacks_amount") * 100).cast(pl.Int64)
    return sums.with_columns(from_units(cents * share // _BP, _CENTS).alias("chargeback_loss"))
