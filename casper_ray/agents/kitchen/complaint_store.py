"""What the complaint agent's tools read: complaints as one batch left them, and the orders of that time."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

import polars as pl
from polars.datatypes import DataTypeClass

from casper_ray.agents.kitchen.store import EVENTS, LAKEFLOW, KitchenStore, customer_key, keyed_creations
from casper_ray.agents.store import PipelineStore
from casper_ray.domain.complaints import COMPLAINTS
from casper_ray.domain.kitchen import ORDER_CREATED
from casper_ray.errors import LakeError
from casper_ray.lakehouse.batch_versions import LeftBy, left_by_each
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import KNOWN, scan

NO_ORDER: Final = "none"
"""Stands for an order that cannot be told. No order has that name: ids are of six characters."""
_LATELY = timedelta(hours=27)
_HASHED = r"#\s?[A-Za-z0-9]{6}(?:-[Ll][0-9]+)?\b"
_AFTER_WORD = r"\b(?i:order|number|pedido|bestellung|bestellnummer)\s[A-Z0-9]{6}(?:-L[0-9]+)?\b"
_MIXED = r"\b[A-Za-z0-9]{6}(?:-[Ll][0-9]+)?\b"
_ID = r"([A-Za-z0-9]{6}(?:-[Ll][0-9]+)?)$"
_INSTANT = pl.Datetime("us", "UTC")
_COMPLAINTS: dict[str, pl.DataType | DataTypeClass] = {
    "complaint_id": pl.String,
    "order_id": pl.String,
    "customer": pl.String,
    "text": pl.String,
    KNOWN: _INSTANT,
    "_batch_id": pl.Int64,
}
_OWNED: dict[str, pl.DataType | DataTypeClass] = {
    "order_id": pl.String,
    "customer": pl.String,
    "created_known": _INSTANT,
}


class ComplaintStore(PipelineStore):
    """Complaints, and the kitchen as its first batch left it that had come as far as they have.

    Every read is bounded by the case's instant, so a later batch of the kitchen would tell the same; which one it is
    follows from the complaints' batch alone, so that a decision names the same versions whenever it is made.
    """

    schema = "support"
    reads = (COMPLAINTS,)

    def __init__(self, catalog: Catalog, batch: int | None = None) -> None:
        self.complaints = pl.DataFrame(schema=_COMPLAINTS)
        self.owned = pl.DataFrame(schema=_OWNED)
        """Whose each order is: order_id, customer, created_known."""
        self._opened: KitchenStore | None = None
        super().__init__(catalog, batch)

    @property
    def kitchen(self) -> KitchenStore:
        if self._opened is None:
            raise LakeError(f"catalog {self.catalog.name}: no batch of complaints has been taken in yet")
        return self._opened

    @property
    def versions(self) -> Mapping[str, int]:
        kitchen = self._opened.versions if self._opened else {}
        return {**super().versions, **kitchen}

    def versions_by_batch(self, batches: Collection[int]) -> Mapping[int, Mapping[str, int]]:
        left = left_by_each(self.catalog, self.schema, batches)
        kitchens = {number: _kitchen_batch(self.catalog, one) for number, one in left.items()}
        told = {number: kitchen for number, kitchen in kitchens.items() if kitchen is not None}
        of_kitchen = self.kitchen.versions_by_batch(set(told.values()))
        each = {number: {**self._named(left[number].versions), **of_kitchen[told[number]]} for number in told}
        return {number: each.get(number, self.versions) for number in batches}

    def take_in(self, left: LeftBy) -> None:
        batch = _kitchen_batch(self.catalog, left)
        before = self._opened.batch if self._opened else -1
        if self._opened is None:
            self._opened = KitchenStore(self.catalog, batch)
        else:
            self._opened.follow(batch)
        created = self._opened.table(EVENTS).filter(
            pl.col("_batch_id") > before,
            pl.col("event_type") == ORDER_CREATED,
            pl.col("_admission") == "admitted",
            pl.col("order_id").is_not_null(),
        )
        self.owned = pl.concat([self.owned, keyed_creations(created)]).unique(
            "order_id", keep="first", maintain_order=True
        )
        self.complaints = pl.concat([self.complaints, self._new_complaints(left)])

    def customers_of(self, subjects: pl.Series) -> pl.Series:
        """Keys of those who wrote the complaints, in order."""
        known = self.complaints.select("complaint_id", "customer")
        return subjects.to_frame("complaint_id").join(
            known, on="complaint_id", how="left", maintain_order="left"
        )["customer"]

    def orders_of(self, cases: pl.DataFrame) -> pl.Series:
        """Which order each case is about, or `NO_ORDER`.

        Rules: what the form or the text names, if it is one order and the sender's own; one that is not theirs, or
        several, are none. Where nothing is named: the only order that was delivered to the sender in 27 hours.
        """
        numbered = cases.with_row_index("row").join(
            self.complaints.select("complaint_id", "customer", pl.col("order_id").alias("linked")),
            left_on="subject",
            right_on="complaint_id",
            how="left",
            maintain_order="left",
        )
        named = self._ids_named(numbered)
        recent = self._recent(numbered)
        found = (
            numbered.select("row")
            .join(named, on="row", how="left", maintain_order="left")
            .join(recent, on="row", how="left", maintain_order="left")
        )
        told = pl.when(pl.col("names").is_null()).then("recent").otherwise("own")
        return found.select(told.fill_null(NO_ORDER).alias("order_id")).to_series()

    def _ids_named(self, numbered: pl.DataFrame) -> pl.DataFrame:
        """row, names (how many orders are named), own: the order, where it is the sender's and the only one."""
        text = pl.col("text").fill_null("")
        # Letters with digits are an id wherever they stand; letters alone, or digits, where something says so.
        element = pl.element()
        mixed = element.str.contains("[0-9]") & element.str.contains("^[A-Za-z0-9]*[A-Za-z]")
        ids = pl.concat_list(
            pl.concat_list("linked"),
            text.str.extract_all(_HASHED).list.eval(element.str.extract(_ID)),
            text.str.extract_all(_AFTER_WORD).list.eval(element.str.extract(_ID)),
            text.str.extract_all(_MIXED).list.eval(pl.when(mixed).then(element)),
        )
        exploded = (
            numbered.select("row", "customer", "at", ids.alias("order_id"))
            .explode("order_id", empty_as_null=True)
            .drop_nulls("order_id")
            .with_columns(pl.col("order_id").str.to_uppercase())
            .unique(["row", "order_id"], maintain_order=True)
        )
        owned = self.owned.rename({"customer": "owner"})
        own = (pl.col("owner") == pl.col("customer")) & (pl.col("created_known") <= pl.col("at"))
        return (
            exploded.join(owned, on="order_id", how="left", maintain_order="left")
            .group_by("row", maintain_order=True)
            .agg(
                pl.len().alias("names"),
                pl.when(own.fill_null(False).all() & (pl.len() == 1))
                .then(pl.col("order_id").first())
                .alias("own"),
            )
        )

    def _recent(self, numbered: pl.DataFrame) -> pl.DataFrame:
        """row, recent: the sender's only order of late."""
        delivered = self.kitchen.orders.select("order_id", "delivered_known").drop_nulls()
        theirs = self.owned.join(delivered, on="order_id").select("order_id", "customer", "delivered_known")
        late_enough = pl.col("delivered_known").is_between(pl.col("at") - _LATELY, pl.col("at"))
        return (
            numbered.select("row", "customer", "at")
            .join(theirs, on="customer")
            .filter(late_enough)
            .group_by("row")
            .agg(pl.when(pl.len() == 1).then(pl.col("order_id").first()).alias("recent"))
        )

    def owns(self, subject: str, order_id: str, at: Any) -> bool:
        """Whether an order was, by an instant, one of the complaint's sender."""
        customer = self.customers_of(pl.Series([subject]))[0]
        mine = self.owned.filter(
            pl.col("order_id") == order_id, pl.col("customer") == customer, pl.col("created_known") <= at
        )
        return customer is not None and mine.height == 1

    def _new_complaints(self, left: LeftBy) -> pl.DataFrame:
        found = (
            self.table(COMPLAINTS, left)
            .filter(pl.col("_batch_id") > self.left.batch, pl.col("_admission") == "admitted")
            .select("complaint_id", "order_id", "sender", "text", KNOWN, "_batch_id")
            .sort(KNOWN, "complaint_id")
            .collect()
        )
        # Keys are of addresses as they stand in events, which is within JSON.
        keys = pl.Series(
            [customer_key(json.dumps(sender)[1:-1]) for sender in found["sender"]], dtype=pl.String
        )
        return found.with_columns(keys.alias("customer")).select(_COMPLAINTS.keys())


def _kitchen_batch(catalog: Catalog, left: LeftBy) -> int | None:
    """The kitchen's first batch that came as far as the complaints' batch. Raises: LakeError where none did."""
    if left.sim_instant is None:
        return None
    batches = scan(catalog.table(LAKEFLOW, "batches")).filter(pl.col("sim_instant") >= left.sim_instant)
    first = batches.select(pl.col("batch").min()).collect().item()
    if first is None:
        raise LakeError(
            f"catalog {catalog.name}: complaints have come to {left.sim_instant}, the kitchen's tables have not",
            "run the kitchen's pipeline",
        )
    return int(first)
