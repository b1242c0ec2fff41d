"""What was paid for an order before, whichever agent decided it."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from casper_ray.agents.decision import SCHEMA, TABLE
from casper_ray.agents.gate import MONEY
from casper_ray.agents.tools import Result
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import KNOWN, scan


class PriorRefunds(Result):
    """payments: how many. paid: US dollars in all."""

    payments: int | None
    paid: Decimal | None


def prior_refunds(catalog: Catalog, asked: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """`PriorRefunds` of each asked order; known: whether there is such an order.

    Rules: of decisions on cases before the asking one, each case once, whatever versions decided it. The table is
    read as it is: which agents had run by then is no matter of simulated time, so no policy builds on this.
    """
    numbered = asked.select("order_id", "at").with_row_index("row")
    told = (
        numbered.join(_payments(catalog, asked["order_id"]), on="order_id")
        .filter(pl.col(KNOWN) < pl.col("at"))
        .group_by("row")
        .agg(pl.len().cast(pl.Int64).alias("payments"), pl.col("amount").sum().cast(MONEY).alias("paid"))
    )
    joined = numbered.join(told, on="row", how="left", maintain_order="left").with_columns(
        known.alias("found")
    )
    return joined.select(
        "found",
        pl.when("found").then(pl.col("payments").fill_null(0)).alias("payments"),
        pl.when("found").then(pl.col("paid").fill_null(0)).alias("paid"),
    )


def _payments(catalog: Catalog, order_ids: pl.Series) -> pl.DataFrame:
    """order_id, amount, _known_ts of money that may have moved for the orders."""
    path = catalog.table(SCHEMA, TABLE)
    if not (path / "_delta_log").is_dir():
        return pl.DataFrame(schema={"order_id": pl.String, "amount": MONEY, KNOWN: pl.Datetime("us", "UTC")})
    return (
        scan(path)
        .filter(pl.col("pays_for").is_in(order_ids.unique().implode()), pl.col("amount") > 0)
        .sort("decided_at", "decision_id")
        .unique("idempotency_key", keep="first", maintain_order=True)
        .select(pl.col("pays_for").alias("order_id"), "amount", KNOWN)
        .collect()
    )
