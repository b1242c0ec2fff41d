"""The complaint agent's tools: the kitchen's own, for the orders of whoever wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl

from casper_ray.agents.case import Case
from casper_ray.agents.kitchen import tools as kitchen
from casper_ray.agents.kitchen.complaint_store import ComplaintStore
from casper_ray.agents.kitchen.prior_refunds import PriorRefunds, prior_refunds
from casper_ray.agents.kitchen.store import KitchenStore
from casper_ray.agents.tools import Result, Tool

_NOWHERE = -1


def _own_order(store: ComplaintStore, cases: pl.DataFrame) -> pl.DataFrame:
    return store.orders_of(cases).to_frame("order_id")


def _own_location(store: ComplaintStore, cases: pl.DataFrame) -> pl.DataFrame:
    places = store.kitchen.orders.select("order_id", "location_id")
    found = _own_order(store, cases).join(places, on="order_id", how="left", maintain_order="left")
    return found.select(pl.col("location_id").fill_null(_NOWHERE))


def _senders_order(store: ComplaintStore, case: Case, given: Mapping[str, Any]) -> bool:
    """An order of the sender's, or the case's own (which may be none at all)."""
    if store.owns(case.subject, given["order_id"], case.at):
        return True
    return bool(given["order_id"] == _own_order(store, case.frame()).item())


def _senders_location(store: ComplaintStore, case: Case, given: Mapping[str, Any]) -> bool:
    """A location that the sender ordered from by then."""
    customer = store.customers_of(pl.Series([case.subject]))[0]
    theirs = store.owned.filter(pl.col("customer") == customer, pl.col("created_known") <= case.at)
    places = store.kitchen.orders.join(theirs.select("order_id"), on="order_id")["location_id"]
    return given["location_id"] == _NOWHERE or given["location_id"] in places


def _of_kitchen(
    answer: Callable[[KitchenStore, pl.DataFrame], pl.DataFrame],
) -> Callable[[ComplaintStore, pl.DataFrame], pl.DataFrame]:
    return lambda store, asked: answer(store.kitchen, asked)


def _paid_before(store: ComplaintStore, asked: pl.DataFrame) -> pl.DataFrame:
    known = kitchen.order_timings(store.kitchen, asked)["found"]
    return prior_refunds(store.catalog, asked, known)


def _of_order(
    name: str,
    description: str,
    result: type[Result],
    answer: Callable[[ComplaintStore, pl.DataFrame], pl.DataFrame],
) -> Tool:
    """A tool about an order of the sender's."""
    return Tool(
        name=name,
        description=description,
        arguments=kitchen.OfOrder,
        result=result,
        answer=answer,
        own=_own_order,
        allows=_senders_order,
    )


ORDER_OVERVIEW: Final = _of_order(
    "get_order_overview",
    "Location, items with prices and quantities, brands and total of an order of the sender's.",
    kitchen.OrderOverview,
    _of_kitchen(kitchen.order_overviews),
)
ORDER_TIMING: Final = _of_order(
    "get_order_timing",
    "When an order of the sender's was created and delivered, the minutes between, and its status.",
    kitchen.OrderTiming,
    _of_kitchen(kitchen.order_timings),
)
PRIOR_REFUNDS: Final = _of_order(
    "get_prior_refunds",
    "How much was paid back for an order of the sender's before the complaint.",
    PriorRefunds,
    _paid_before,
)
LOCATION_TIMINGS: Final = Tool(
    name="get_location_timings",
    description="P50, P75 and P99 of delivery minutes at the order's location over the day before the complaint.",
    arguments=kitchen.OfLocation,
    result=kitchen.LocationTimings,
    answer=_of_kitchen(kitchen.location_timings),
    own=_own_location,
    allows=_senders_location,
)
