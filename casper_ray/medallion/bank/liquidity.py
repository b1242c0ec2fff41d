"""Gold of liquidity: what comes in and goes out on a day, and a ratio in the form of Basel III's coverage ratio."""

from __future__ import annotations

from functools import cache, reduce
from operator import add

import polars as pl
import pyarrow as pa

from casper_ray.domain.bank import ATM, CARD, POSTED, WIRE
from casper_ray.medallion.bank.assumptions import assumptions
from casper_ray.medallion.bank.form import IN, OUT
from casper_ray.medallion.bank.measures import worth
from casper_ray.medallion.bank.money import MONEY, from_units, units
from casper_ray.medallion.bank.transactions import SILVER_TRANSACTIONS
from casper_ray.medallion.declare import Merge, Table

_WAYS = {"card": CARD, "cash": ATM, "transfers": WIRE}
_OUTFLOWS = tuple(f"{way}_out" for way in _WAYS)
_INFLOWS = tuple(f"{way}_in" for way in _WAYS)
_FINISHED = (
    "inflows",
    "outflows",
    "net",
    "hqla",
    "stressed_inflows",
    "stressed_outflows",
    "net_stressed_outflow",
)


def daily_flows(transactions: pl.DataFrame) -> pl.DataFrame:
    """What came to the bank and left it on a day, and how long that could go on.

    Reads:   silver_transactions, posted ones; not transfers between two customers: that money stays.
    Returns: one row per day of txn_ts, UTC, with a transaction; amounts in BASE_CURRENCY: card, cash and transfers,
             in and out (refunds, reversals and chargebacks come in by card); inflows, outflows, net = in - out;
             hqla = opening_hqla + net of all days to this one; stressed_*: flows of the window_days to this one,
             each at its percentage of configs/finance/bank.yml; net_stressed_outflow = stressed_outflows - the
             smaller of stressed_inflows and their cap; lcr = hqla / net_stressed_outflow, null where that is 0.
    Rules:   a day without a transaction has no row and no flow. An example of the form of the ratio, not a report:
             assets are an assumption, and past flows stand for those that are to come.
    Source:  Basel III: The Liquidity Coverage Ratio (BCBS 238, 2013), paragraph 69.
    """
    return transactions.select(_flows())


@cache
def _flows() -> tuple[pl.Expr, ...]:
    moved = (pl.col("status") == POSTED) & ~pl.col("internal")
    return (
        pl.col("txn_day").alias("day"),
        *(
            worth(moved & (pl.col("feed") == feed) & (pl.col("direction") == direction)).alias(
                f"{way}_{suffix}"
            )
            for suffix, direction in (("in", IN), ("out", OUT))
            for way, feed in _WAYS.items()
        ),
    )


def coverage(days: pl.DataFrame, opening_hqla: int | None = None) -> pl.DataFrame:
    """The days with what follows from all of them, in whole cents until the end.

    opening_hqla: whole units of BASE_CURRENCY before the first day; None: those of the assumptions.
    """
    assumed = assumptions().liquidity
    opening = assumed.opening_hqla if opening_hqla is None else opening_hqla
    out_percent, in_percent = assumed.outflow_percent.model_dump(), assumed.inflow_percent.model_dump()
    cents = days.sort("day").select(
        "day", *(units(pl.col(name)).cast(pl.Int64).alias(name) for name in (*_INFLOWS, *_OUTFLOWS))
    )
    daily = cents.select(
        "day",
        _sum(_INFLOWS).alias("inflows"),
        _sum(_OUTFLOWS).alias("outflows"),
        reduce(add, (pl.col(name) * in_percent[name] for name in _INFLOWS)).alias("stressed_in"),
        reduce(add, (pl.col(name) * out_percent[name] for name in _OUTFLOWS)).alias("stressed_out"),
    )
    window = f"{assumed.window_days}d"
    stressed = daily.select(
        "day",
        "inflows",
        "outflows",
        (pl.col("inflows") - pl.col("outflows")).alias("net"),
        *(
            (pl.col(f"stressed_{way}").rolling_sum_by("day", window) // 100).alias(f"stressed_{way}flows")
            for way in ("in", "out")
        ),
    )
    capped = pl.min_horizontal(
        "stressed_inflows", pl.col("stressed_outflows") * assumed.inflow_cap_percent // 100
    )
    told = stressed.with_columns(
        (opening * 100 + pl.col("net").cum_sum()).alias("hqla"),
        (pl.col("stressed_outflows") - capped).alias("net_stressed_outflow"),
    )
    ratio = pl.when(pl.col("net_stressed_outflow") > 0).then(pl.col("hqla") / pl.col("net_stressed_outflow"))
    finished = told.select(
        "day",
        *(from_units(pl.col(name).cast(pl.Int128), 2).alias(name) for name in _FINISHED),
        ratio.alias("lcr"),
    )
    return days.join(finished, on="day", how="left", maintain_order="left").sort("day")


def _sum(names: tuple[str, ...]) -> pl.Expr:
    return reduce(add, map(pl.col, names))


GOLD_LIQUIDITY_DAILY = Table(
    name="gold_liquidity_daily",
    reads=SILVER_TRANSACTIONS.name,
    grain="one row per day with a transaction",
    schema=pa.schema(
        [
            ("day", pa.date32()),
            *((name, MONEY) for name in (*_INFLOWS, *_OUTFLOWS, *_FINISHED)),
            ("lcr", pa.float64()),
        ]
    ),
    update=Merge(keys=("day",), sums=(*_INFLOWS, *_OUTFLOWS), finish=coverage),
    transform=daily_flows,
    change_feed=True,
    stats=("day",),
)
