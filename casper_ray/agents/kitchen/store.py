"""What the kitchen's tools read: orders with their steps, totals and deliveries, as one batch left them."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.datatypes import DataTypeClass

from casper_ray.agents.by_key import FEW, ByKey
from casper_ray.agents.kitchen.percentiles import SHARES, window_percentiles
from casper_ray.agents.store import PipelineStore
from casper_ray.domain.kitchen import DELIVERED, ORDER_CREATED
from casper_ray.domain.time import US_PER_DAY
from casper_ray.lakehouse.batch_versions import LeftBy
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import KNOWN

LAKEFLOW: Final = "lakeflow"
EVENTS, ITEMS, HEADERS = "all_events", "silver_order_items", "gold_order_header"
QUARANTINE, ADMITTED = "quarantine", "admitted_events"
_MINUTE_US = 60_000_000
_MANY = 1_000
_INSTANT = pl.Datetime("us", "UTC")
_ADDRESS = r'"customer_addr"\s*:\s*"((?:[^"\\]|\\.)*)"'
_TEXT = "%Y-%m-%d %H:%M:%S%.f"
_STEPS: dict[str, pl.DataType | DataTypeClass] = {
    "order_id": pl.String,
    "event_type": pl.String,
    "location_id": pl.Int32,
    "ts": _INSTANT,
    KNOWN: _INSTANT,
    "_batch_id": pl.Int64,
}
_TOTALS: dict[str, pl.DataType | DataTypeClass] = {"order_id": pl.String, "total": pl.Decimal(18, 2)}


class Window(NamedTuple):
    """Deliveries of one location, by when their minutes were known: microseconds, and minutes from creation."""

    known_us: NDArray[np.int64]
    minutes: NDArray[np.float64]


class KitchenStore(PipelineStore):
    """Orders in memory.

    An order's row: order_id, location_id, created and delivered (instants of the events), created_known and
    delivered_known (from when they could be known), delivered_batch, minutes (created to delivered), timed_known and
    timed_batch (from when both could be known, and the batch that brought the later one), total.
    Of several creations or deliveries of one order the first to be known is meant, and its total alone.
    """

    schema = LAKEFLOW
    reads = (EVENTS, ITEMS, HEADERS, QUARANTINE)

    def __init__(self, catalog: Catalog, batch: int | None = None) -> None:
        self._known = pl.DataFrame(schema=_STEPS)
        self._refused = pl.Series(dtype=pl.String)
        self.orders = _orders(self._known, pl.DataFrame(schema=_TOTALS))
        self._windows: dict[int, Window] = {}
        self._customers: pl.DataFrame | None = None
        self._reading: Future[pl.DataFrame] | None = None
        self._items: ByKey | None = None
        self._events: ByKey | None = None
        self._orders_by_id: ByKey | None = None
        self._customers_by_id: ByKey | None = None
        super().__init__(catalog, batch)

    def take_in(self, left: LeftBy) -> None:
        self._refused = self._refused_events(left)
        self._customers, self._reading = self._customers_with_new(left), None
        self._known = pl.concat([self._known, self._steps(left)]).sort(KNOWN, "_batch_id", "order_id", "ts")
        self.orders = _orders(self._known, self._totals(left))
        self._windows = _windows(self.orders)
        self._items = self._events = self._orders_by_id = self._customers_by_id = None

    def orders_of(self, order_ids: pl.Series) -> pl.DataFrame:
        """Rows of `orders`, at least those of these ids: to join with a few costs less than to join with all."""
        if order_ids.len() > FEW:
            return self.orders
        if self._orders_by_id is None:
            self._orders_by_id = ByKey(self.orders, "order_id")
        return self._orders_by_id.of(order_ids)

    def items_of(self, order_ids: pl.Series) -> pl.DataFrame:
        """Items of orders, of the creation that is meant, by order and item. All are read when first asked for."""
        if self._items is None:
            meant = self.orders.lazy().select("order_id", pl.col("created").alias("order_ts"))
            columns = ("order_id", "item_id", "item_name", "price", "qty", "brand_id")
            items = self.table(ITEMS).join(meant, on=("order_id", "order_ts"), how="semi").select(columns)
            self._items = ByKey(items.sort("item_id", maintain_order=True).collect(), "order_id")
        return self._items.of(order_ids)

    def events_of(self, order_ids: pl.Series) -> pl.DataFrame:
        """Events of orders, by order and in no order else. All are read when first asked for."""
        if self._events is None:
            columns = ("order_id", "location_id", "event_type", "sequence", "event_id", KNOWN)
            events = self.events().filter(pl.col("order_id").is_not_null()).select(columns)
            self._events = ByKey(events.collect(), "order_id")
        return self._events.of(order_ids)

    def events(self) -> pl.LazyFrame:
        """Events that count, as the store's batch left them."""
        return self._counted(self.left)

    def _counted(self, left: LeftBy) -> pl.LazyFrame:
        """Neither duplicate nor late, and not set aside by a rule on events: Bronze keeps those as admitted."""
        counted = self.table(EVENTS, left).filter(pl.col("_admission") == "admitted")
        if self._refused.is_empty():
            return counted
        return counted.filter(~pl.col("event_id").is_in(self._refused.implode()))

    def _refused_events(self, left: LeftBy) -> pl.Series:
        """Ids of events that are in the quarantine."""
        if QUARANTINE not in left.versions:
            return self._refused
        refused = self.table(QUARANTINE, left).filter(
            pl.col("table") == ADMITTED, pl.col("batch") > self.left.batch
        )
        found = refused.select(pl.col("line").str.json_path_match("$.event_id")).collect().to_series()
        return pl.concat([self._refused, found.drop_nulls().alias("")])

    def customers(self) -> pl.DataFrame:
        """One row per order that was created: order_id, customer (`customer_key` of its address), created_known.

        An order whose body names no address has a null key.
        """
        if self._customers is None:
            read_ahead = self._reading
            self._customers = read_ahead.result() if read_ahead else keyed_creations(self._created(self.left))
        return self._customers

    def read_customers_ahead(self) -> None:
        """Have `customers` read in a thread of its own: nothing needs it before there are proposals, whose making
        leaves a processor free.
        """
        if self._customers is None and self._reading is None:
            reader = ThreadPoolExecutor(1, thread_name_prefix="customers")
            self._reading = reader.submit(keyed_creations, self._created(self.left))
            reader.shutdown(wait=False)

    def _customers_with_new(self, left: LeftBy) -> pl.DataFrame | None:
        """`customers` with those who came after the store's batch; None where none were read so far."""
        if self._customers is None and self._reading is None:
            return None
        new = keyed_creations(self._created(left).filter(pl.col("_batch_id") > self.left.batch))
        return pl.concat([self.customers(), new]).unique("order_id", keep="first", maintain_order=True)

    def _created(self, left: LeftBy) -> pl.LazyFrame:
        counted = self._counted(left)
        return counted.filter(pl.col("event_type") == ORDER_CREATED, pl.col("order_id").is_not_null())

    def customers_of(self, order_ids: pl.Series) -> pl.DataFrame:
        """order_id, customer: of these orders. Reads their bodies alone where there are few and none were read."""
        if order_ids.len() > _MANY or self._customers is not None or (self._reading and self._reading.done()):
            customers = self.customers().select("order_id", "customer")
            if order_ids.len() > FEW:
                return customers
            if self._customers_by_id is None:
                self._customers_by_id = ByKey(customers, "order_id")
            return self._customers_by_id.of(order_ids)
        asked = pl.col("order_id").is_in(order_ids.implode())
        return keyed_creations(self._created(self.left).filter(asked)).select("order_id", "customer")

    def timings(self, location_id: NDArray[np.int32], at_us: NDArray[np.int64]) -> NDArray[np.float64]:
        """P50, P75, P99 of delivery minutes at a location over the simulated day before an instant, and how many.

        Rules: deliveries known in [at - 24 h, at); percentiles are NaN where there is none.
        """
        found = np.full((len(at_us), len(SHARES) + 1), np.nan)
        found[:, -1] = 0
        for location, window in self._windows.items():
            ours = np.flatnonzero(location_id == location)
            ours = ours[np.argsort(at_us[ours], kind="stable")]
            first = np.searchsorted(window.known_us, at_us[ours] - US_PER_DAY, "left")
            last = np.searchsorted(window.known_us, at_us[ours], "left")
            found[ours, :-1] = window_percentiles(window.minutes, first, last)
            found[ours, -1] = last - first
        return found

    def _totals(self, left: LeftBy) -> pl.DataFrame:
        """order_id, total. Gold adds up all creations of one id; where there are several, Silver tells them apart."""
        totals = (
            self.table(HEADERS, left).select("order_id", pl.col("order_revenue").alias("total")).collect()
        )
        created = self._known.filter(pl.col("event_type") == ORDER_CREATED)
        first = created.unique("order_id", keep="first", maintain_order=True)
        if first.height == created.height:
            return totals
        several = created.filter(pl.col("order_id").is_duplicated())["order_id"].unique()
        of_first = (
            self.table(ITEMS, left)
            .filter(pl.col("order_id").is_in(several.implode()))
            .join(first.lazy(), left_on=("order_id", "order_ts"), right_on=("order_id", "ts"), how="semi")
            .group_by("order_id")
            .agg(pl.col("extended_price").sum().cast(_TOTALS["total"]).alias("total"))
            .collect()
        )
        return pl.concat([totals.filter(~pl.col("order_id").is_in(several.implode())), of_first])

    def _steps(self, left: LeftBy) -> pl.DataFrame:
        """Creations and deliveries that count and came after the store's batch."""
        return (
            self._counted(left)
            .filter(
                pl.col("_batch_id") > self.left.batch,
                pl.col("event_type").is_in([ORDER_CREATED, DELIVERED]),
                pl.col("order_id").is_not_null(),
            )
            .select(
                "order_id",
                "event_type",
                "location_id",
                pl.col("ts").str.to_datetime(_TEXT, time_unit="us", time_zone="UTC", strict=False),
                KNOWN,
                "_batch_id",
            )
            .collect()
        )


def _orders(steps: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """One row per order that was created, in the order in which they were known."""
    created, delivered = (
        steps.filter(pl.col("event_type") == kind).unique("order_id", keep="first", maintain_order=True)
        for kind in (ORDER_CREATED, DELIVERED)
    )
    return (
        created.select(
            "order_id",
            "location_id",
            pl.col("ts").alias("created"),
            pl.col(KNOWN).alias("created_known"),
            pl.col("_batch_id").alias("created_batch"),
        )
        .join(
            delivered.select(
                "order_id",
                pl.col("ts").alias("delivered"),
                pl.col(KNOWN).alias("delivered_known"),
                pl.col("_batch_id").alias("delivered_batch"),
            ),
            on="order_id",
            how="left",
            maintain_order="left",
        )
        .join(totals, on="order_id", how="left", maintain_order="left")
        .with_columns(
            ((pl.col("delivered") - pl.col("created")).dt.total_microseconds() / _MINUTE_US).alias("minutes"),
            _later("created_known", "delivered_known").alias("timed_known"),
            _later("created_batch", "delivered_batch").alias("timed_batch"),
        )
        .drop("created_batch")
    )


def _later(one: str, other: str) -> pl.Expr:
    """The later of two columns; null where one is, which `max_horizontal` would pass over."""
    return pl.when(pl.col(one) > pl.col(other)).then(one).otherwise(other)


def keyed_creations(created: pl.LazyFrame) -> pl.DataFrame:
    """order_id, customer, created_known of creations."""
    bodies = created.select("order_id", pl.col("body").str.extract(_ADDRESS).alias("address"), KNOWN)
    found = bodies.collect().sort(KNOWN, "address")
    addresses = found["address"].drop_nulls().unique()
    keys = pl.Series([customer_key(address) for address in addresses], dtype=pl.String)
    return found.select(
        "order_id",
        pl.col("address").replace_strict(addresses, keys, default=None).alias("customer"),
        pl.col(KNOWN).alias("created_known"),
    ).unique("order_id", keep="first", maintain_order=True)


def _windows(orders: pl.DataFrame) -> dict[int, Window]:
    delivered = orders.filter(pl.col("minutes").is_not_null()).sort("timed_known", "order_id")
    parts = delivered.partition_by("location_id", as_dict=True, maintain_order=True)
    return {
        int(location): Window(part["timed_known"].to_physical().to_numpy(), part["minutes"].to_numpy())
        for (location,), part in parts.items()
    }


def customer_key(address: str) -> str:
    """A key for whoever lives at an address; the address cannot be told from it without trying addresses."""
    return hashlib.sha256(b"kitchen customer\0" + address.encode()).hexdigest()[:24]
