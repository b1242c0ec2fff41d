"""Transfers held against the sanctions list: the one place where an agent's side reads names, and keeps none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import polars as pl
from polars.datatypes import DataTypeClass

from casper_ray.agents.bank.sanctions import SanctionsList
from casper_ray.agents.bank.store import BankStore
from casper_ray.agents.features.tables import TRANSACTIONS as SILVER
from casper_ray.domain.bank import COMPLIANCE_FAILED, SETTLED, WIRE
from casper_ray.lakehouse.batch_versions import LeftBy
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import KNOWN, at_version

WIRE_EVENTS: Final = "wire_events"
_WORLD, _LIST = "simulator", "sanctions_list"
_INCOMING, _INTERNAL = "incoming", "internal"
_SCREENED: dict[str, pl.DataType | DataTypeClass] = {
    "transaction_id": pl.String,
    KNOWN: pl.Datetime("us", "UTC"),
    "source_batch": pl.Int64,
    "entry_id": pl.String,
    "score": pl.Float64,
    "initials": pl.String,
}
SCREENED: Final = pl.Schema(_SCREENED)
"""A transfer with a counterparty outside, and what of the list is most like that one's name: see `ALIKE`."""


class ScreeningStore(BankStore):
    """The bank's store, and the transfers screened.

    screened: `SCREENED`, one row per transfer that is in Silver and has an outside counterparty, in the order in
              which they were known. Held against the entries that were listed by the day on which it was known.

    Reads names from Bronze, for Silver has tokens, and tokens of names that are nearly alike have nothing in common.
    A name lives while a batch is compared; what stays is an entry's id, a score, and the entry's initials.
    """

    reads: ClassVar[tuple[str, ...]] = (*BankStore.reads, WIRE_EVENTS)

    def __init__(self, catalog: Catalog, batch: int | None = None) -> None:
        listed = at_version(catalog.table(_WORLD, _LIST))
        self._list_version = int(listed.version())
        self._listed = pl.scan_delta(listed).collect().sort("listed_on", "entry_id")
        self._lists: dict[int, SanctionsList] = {}
        self.screened = pl.DataFrame(schema=SCREENED)
        super().__init__(catalog, batch)

    def _named(self, versions: Mapping[str, int]) -> dict[str, int]:
        return {**super()._named(versions), f"{_WORLD}.{_LIST}": self._list_version}

    def take_in(self, left: LeftBy) -> None:
        super().take_in(left)
        fresh = self.compared(self._wires(left))
        known = pl.concat([self.screened, fresh]).sort(KNOWN, "transaction_id")
        self.screened = known.unique("transaction_id", keep="first", maintain_order=True)

    def screened_of(self, asked: pl.DataFrame) -> pl.DataFrame:
        """`SCREENED` of each asked transaction_id, in order; null where it was not known by `at`."""
        ids = asked["transaction_id"].unique()
        ours = self.screened.filter(pl.col("transaction_id").is_in(ids.implode()))
        found = asked.select("transaction_id", "at").join(
            ours, on="transaction_id", how="left", maintain_order="left"
        )
        known = (pl.col(KNOWN) <= pl.col("at")).fill_null(False)
        return found.select(
            pl.when(known).then(name).alias(name) if name != "transaction_id" else name for name in SCREENED
        )

    def _wires(self, left: LeftBy) -> pl.DataFrame:
        """Transfers that came after the store's batch: transaction_id, name, KNOWN, source_batch."""
        incoming = pl.col("direction") == _INCOMING
        wires = (
            self.table(WIRE_EVENTS, left)
            .filter(
                pl.col("_batch_id") > self.left.batch,
                pl.col("_admission") == "admitted",
                pl.col("event_type").is_in([SETTLED, COMPLIANCE_FAILED]),
                pl.col("direction").ne_missing(_INTERNAL),
            )
            .select(
                "transaction_id",
                pl.when(incoming).then("payer_name").otherwise("payee_name").alias("name"),
                KNOWN,
                pl.col("_batch_id").alias("source_batch"),
            )
            .collect()
        )
        silver = self.table(SILVER, left).filter(
            pl.col("feed") == WIRE, pl.col(KNOWN) >= pl.lit(wires[KNOWN].min(), wires[KNOWN].dtype)
        )
        return wires.join(silver.select("transaction_id").collect(), on="transaction_id", how="semi")

    def compared(self, wires: pl.DataFrame) -> pl.DataFrame:
        """`SCREENED` of transfers: transaction_id, name, KNOWN, source_batch."""
        days = wires[KNOWN].dt.date()
        counts = self._listed["listed_on"].search_sorted(days, side="right").cast(pl.Int64)
        by_list = wires.with_columns(counts.alias("listed")).partition_by("listed", as_dict=True)
        frames = [
            part.join(
                self._list(int(count)).most_alike(part["name"]), on="name", how="left", nulls_equal=True
            )
            for (count,), part in sorted(by_list.items())
        ]
        empty = pl.DataFrame(schema=SCREENED)
        return pl.concat([empty, *(frame.select(SCREENED.names()).cast(SCREENED) for frame in frames)])

    def _list(self, count: int) -> SanctionsList:
        """The list of the first `count` entries by the day of their listing."""
        if count not in self._lists:
            self._lists[count] = SanctionsList(self._listed.head(count))
        return self._lists[count]
