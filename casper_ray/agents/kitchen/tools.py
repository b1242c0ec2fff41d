"""The kitchen's tools: an order, its times, its location's times, its customer, and what was paid before."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

import polars as pl
from pydantic import Field

from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.agents.tools import Arguments, Result, Tool
from casper_ray.lakehouse.read import KNOWN

DELIVERED, IN_PROGRESS, UNKNOWN = "delivered", "in_progress", "unknown"


class OfOrder(Arguments):
    order_id: str = Field(min_length=1, max_length=40)


class OfLocation(Arguments):
    location_id: int


class OrderTiming(Result):
    """created, delivered: the events' own instants. minutes: between them. total: of the order, US dollars."""

    status: str
    location_id: int | None
    created: datetime | None
    delivered: datetime | None
    minutes: float | None
    total: Decimal | None


class OrderOverview(Result):
    """total: US dollars. items: names of what was ordered, once each; brands: their ids."""

    location_id: int | None
    created: datetime | None
    total: Decimal | None
    items: list[str] | None
    prices: list[Decimal] | None
    quantities: list[int] | None
    brands: list[int] | None


class OrderDetails(Result):
    """The order's events so far, in order: what happened when."""

    location_id: int | None
    events: list[str] | None
    instants: list[datetime] | None


class LocationTimings(Result):
    """Minutes from creation to delivery, of deliveries known in the simulated day before the case."""

    deliveries: int
    p50: float | None
    p75: float | None
    p99: float | None


class AddressHistory(Result):
    """Orders from the same address before the case's instant, the case's own among them."""

    customer: str | None
    orders: int | None
    first: datetime | None
    last: datetime | None


def _own_order(store: KitchenStore, cases: pl.DataFrame) -> pl.DataFrame:
    return cases.select(pl.col("subject").alias("order_id"))


def _own_location(store: KitchenStore, cases: pl.DataFrame) -> pl.DataFrame:
    found = _of_orders(store, cases.with_columns(pl.col("subject").alias("order_id")))
    return found.select(pl.col("location_id").fill_null(-1))


def _of_orders(store: KitchenStore, asked: pl.DataFrame) -> pl.DataFrame:
    """The asked rows with their order's row, as far as it was known by `at`; null where it was not."""
    at = pl.col("at")
    steps = ("location_id", "created", "total")
    return (
        asked.join(store.orders_of(asked["order_id"]), on="order_id", how="left", maintain_order="left")
        .with_columns(
            *(pl.when(pl.col("created_known") <= at).then(name).alias(name) for name in steps),
            *(
                pl.when(pl.col("timed_known") <= at).then(name).alias(name)
                for name in ("delivered", "minutes")
            ),
        )
        .with_columns(pl.col("created").is_not_null().alias("found"))
    )


def order_timings(store: KitchenStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`OrderTiming` of each asked order."""
    return _of_orders(store, asked).select(
        "found",
        pl.when(pl.col("created").is_null())
        .then(pl.lit(UNKNOWN))
        .when(pl.col("delivered").is_null())
        .then(pl.lit(IN_PROGRESS))
        .otherwise(pl.lit(DELIVERED))
        .alias("status"),
        "location_id",
        "created",
        "delivered",
        "minutes",
        "total",
    )


def order_overviews(store: KitchenStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`OrderOverview` of each asked order."""
    items = (
        store.items_of(asked["order_id"])
        .group_by("order_id", maintain_order=True)
        .agg(
            pl.col("item_name").alias("items"),
            pl.col("price").alias("prices"),
            pl.col("qty").alias("quantities"),
            pl.col("brand_id").unique().sort().alias("brands"),
        )
    )
    named = ("items", "prices", "quantities", "brands")
    return (
        _of_orders(store, asked)
        .join(items, on="order_id", how="left", maintain_order="left")
        .select(
            "found",
            "location_id",
            "created",
            "total",
            *(pl.when("found").then(name).alias(name) for name in named),
        )
    )


def order_details(store: KitchenStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`OrderDetails` of each asked order."""
    steps = store.events_of(asked["order_id"])
    numbered = asked.select("order_id", "at").with_row_index("row")
    told = (
        numbered.join(steps, on="order_id")
        .filter(pl.col(KNOWN) <= pl.col("at"))
        .sort("row", KNOWN, "sequence", "event_id")
        .group_by("row", maintain_order=True)
        .agg(
            pl.col("location_id").first(),
            pl.col("event_type").alias("events"),
            pl.col(KNOWN).alias("instants"),
        )
    )
    return numbered.join(told, on="row", how="left", maintain_order="left").select(
        pl.col("events").is_not_null().alias("found"), "location_id", "events", "instants"
    )


def location_timings(store: KitchenStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`LocationTimings` of each asked location."""
    found = store.timings(asked["location_id"].to_numpy(), asked["at"].to_physical().to_numpy())
    numbers = pl.DataFrame(
        found, schema={"p50": pl.Float64, "p75": pl.Float64, "p99": pl.Float64, "n": pl.Float64}
    )
    return numbers.select(
        (pl.col("n") > 0).alias("found"),
        pl.col("n").cast(pl.Int64).alias("deliveries"),
        pl.col("p50", "p75", "p99").fill_nan(None),
    )


def address_histories(store: KitchenStore, asked: pl.DataFrame) -> pl.DataFrame:
    """`AddressHistory` of each asked order's address."""
    customers = store.customers()
    numbered = asked.select("order_id", "at").with_row_index("row")
    ours = (
        numbered.join(customers, on="order_id")
        .filter(pl.col("created_known") <= pl.col("at"))  # who ordered is not known before the order is
        .select("row", "at", "customer")
    )
    told = (
        ours.join(customers.select("customer", "created_known"), on="customer")
        .filter(pl.col("created_known") <= pl.col("at"))
        .group_by("row")
        .agg(
            pl.col("customer").first(),
            pl.len().cast(pl.Int64).alias("orders"),
            pl.col("created_known").min().alias("first"),
            pl.col("created_known").max().alias("last"),
        )
    )
    return numbered.join(told, on="row", how="left", maintain_order="left").select(
        pl.col("customer").is_not_null().alias("found"), "customer", "orders", "first", "last"
    )


GET_ORDER_TIMING: Final = Tool(
    name="get_order_timing",
    description="When the order was created and delivered, the minutes between, and whether it is on its way.",
    arguments=OfOrder,
    result=OrderTiming,
    answer=order_timings,
    own=_own_order,
)
GET_ORDER_OVERVIEW: Final = Tool(
    name="get_order_overview",
    description="Location, items with prices and quantities, brands and total of the order.",
    arguments=OfOrder,
    result=OrderOverview,
    answer=order_overviews,
    own=_own_order,
)
GET_ORDER_DETAILS: Final = Tool(
    name="get_order_details",
    description="The order's events so far with their instants.",
    arguments=OfOrder,
    result=OrderDetails,
    answer=order_details,
    own=_own_order,
)
GET_LOCATION_TIMINGS: Final = Tool(
    name="get_location_timings",
    description="P50, P75 and P99 of delivery minutes at the order's location over the day before.",
    arguments=OfLocation,
    result=LocationTimings,
    answer=location_timings,
    own=_own_location,
)
GET_CUSTOMER_ADDRESS_HISTORY: Final = Tool(
    name="get_customer_address_history",
    description="How many orders came from the order's address so far, and since when.",
    arguments=OfOrder,
    result=AddressHistory,
    answer=address_histories,
    own=_own_order,
)
