"""Credit lines: what moved each card account, what is owed on it after, and which batch brought it."""

from __future__ import annotations

from typing import Final

import polars as pl
from polars.datatypes import DataTypeClass

from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.features.tables import TRANSACTIONS as SILVER
from casper_ray.domain.bank import CARD, CHARGEBACK, COMPLIANCE_FAILED, OUT, POSTED, PURCHASE, SETTLED, WIRE
from casper_ray.lakehouse.bank_sides import sides
from casper_ray.lakehouse.batch_versions import LeftBy
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import KNOWN, scan

BATCHES: Final = "batches"
_FEW = 20
_READ = (
    "transaction_id",
    "transaction_type",
    "account_token",
    "counterparty_token",
    "internal",
    "direction",
    "amount_base",
    "status",
    KNOWN,
)
_FLOW: dict[str, pl.DataType | DataTypeClass] = {
    "account_token": pl.String,
    "transaction_id": pl.String,
    KNOWN: pl.Datetime("us", "UTC"),
    "source_batch": pl.Int64,
    "spent": pl.Int64,
    "paid": pl.Int64,
    "returned": pl.Int64,
    "charged_back": pl.Boolean,
    "declined": pl.Boolean,
}
FLOW: Final = pl.Schema(_FLOW)
"""One row per transaction of a card account. Cents of EUR: spent by purchases; paid: the bill; returned: reversals,
refunds and chargebacks. declined: it moved nothing.
"""


class CreditStore(BankStore):
    """The bank's store, and its credit lines.

    flows: `FLOW` and owed (cents, after the row, of what the store has seen from the line's first day), by account in
           the order in which rows were known.
    """

    def __init__(self, catalog: Catalog, batch: int | None = None) -> None:
        self.flows = pl.DataFrame(schema=FLOW).with_columns(pl.lit(0, pl.Int64).alias("owed"))
        super().__init__(catalog, batch)

    def take_in(self, left: LeftBy) -> None:
        before = self.lines()["account_token"]
        super().take_in(left)
        lines = self.lines()["account_token"]
        found = [_flows(self.fresh(left, _READ), lines)]
        if self.left.batch >= 0:  # of a line that is new nothing was kept until now
            new = lines.filter(~lines.is_in(before.implode()))
            found.append(_flows(self._of_lines(new, left), new))
        fresh = pl.concat(found).join(self._brought(left), on="transaction_id", how="left")
        fresh = fresh.with_columns(pl.col("source_batch").fill_null(left.batch)).select(FLOW.names())
        known = pl.concat([self.flows.drop("owed"), fresh.cast(FLOW)])
        moved = pl.col("spent") - pl.col("paid") - pl.col("returned")
        self.flows = (
            known.sort("account_token", KNOWN, "transaction_id")
            .unique(("account_token", "transaction_id"), keep="first", maintain_order=True)
            .with_columns(moved.cum_sum().over("account_token").alias("owed"))
        )

    def flows_of(self, accounts: pl.Series) -> pl.DataFrame:
        """`flows` of some accounts. Of a few they are looked up, for rows are sorted by account."""
        wanted = accounts.unique()
        if wanted.len() > _FEW:
            return self.flows
        column = self.flows["account_token"]
        ends = [(column.search_sorted(one, "left"), column.search_sorted(one, "right")) for one in wanted]
        return pl.concat([self.flows.head(0), *(self.flows.slice(begin, end - begin) for begin, end in ends)])

    def lines(self) -> pl.DataFrame:
        """account_token (of the card account), customer_id: every line that there ever was."""
        named = self.customers.filter(pl.col("credit_account_token").is_not_null())
        token = pl.col("credit_account_token").alias("account_token")
        return named.select(token, "customer_id").unique("account_token", keep="first", maintain_order=True)

    def instants(self) -> pl.DataFrame:
        """batch, sim_instant: where simulated time stood after each batch so far, where somebody told."""
        batches = scan(self.catalog.table(self.schema, BATCHES)).select("batch", "sim_instant")
        return batches.filter(pl.col("batch") <= self.batch).sort("batch").collect()

    def _of_lines(self, lines: pl.Series, left: LeftBy) -> pl.DataFrame:
        """Silver's rows of these card accounts, from the first on."""
        either = [pl.col(side).is_in(lines.implode()) for side in ("account_token", "counterparty_token")]
        rows = self.table(SILVER, left).select(_READ)
        return (rows.filter(pl.any_horizontal(either)) if lines.len() else rows.head(0)).collect()

    def _brought(self, left: LeftBy) -> pl.DataFrame:
        """transaction_id, source_batch: whose Bronze brought what concluded it. Silver does not say."""
        events = [
            self.table(f"{feed}_events", left)
            .filter(
                pl.col("_batch_id") > self.left.batch,
                pl.col("_admission") == "admitted",
                pl.col("event_type").is_in([SETTLED, COMPLIANCE_FAILED]),
            )
            .select("transaction_id", pl.col("_batch_id").alias("source_batch"))
            for feed in (CARD, WIRE)
            if f"{feed}_events" in left.versions
        ]
        return pl.concat(events).group_by("transaction_id").agg(pl.col("source_batch").min()).collect()


def _flows(transactions: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
    """`FLOW` without source_batch, of the card accounts among both sides of transactions."""
    ours = sides(transactions).filter(pl.col("account_token").is_in(lines.implode()))
    posted, out = pl.col("status") == POSTED, pl.col("direction") == OUT
    bought = posted & (pl.col("transaction_type") == PURCHASE)
    bill = posted & ~out & pl.col("internal")
    cents = pl.col("amount_base").to_physical().cast(pl.Int64)
    return ours.select(
        "account_token",
        "transaction_id",
        KNOWN,
        pl.when(bought).then(cents).otherwise(0).alias("spent"),
        pl.when(bill).then(cents).otherwise(0).alias("paid"),
        pl.when(posted & ~out & ~pl.col("internal")).then(cents).otherwise(0).alias("returned"),
        (posted & (pl.col("transaction_type") == CHARGEBACK)).alias("charged_back"),
        (~posted).alias("declined"),
    )
