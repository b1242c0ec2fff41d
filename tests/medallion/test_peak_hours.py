"""Peak hours against a slow computation that shares no code with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.medallion.declare import Merge
from casper_ray.medallion.kitchen.gold import GOLD_LOCATION_PEAK_HOURS
from casper_ray.medallion.kitchen.peak_hours import peak_hours_from_totals, peak_hours_totals
from casper_ray.medallion.merge import partial_aggregate

START = datetime(2024, 2, 26, tzinfo=UTC)


class Order(NamedTuple):
    location: int
    minutes: int
    cents: list[int]

    @property
    def at(self) -> datetime:
        return START + timedelta(minutes=self.minutes)


Cell = tuple[int, int, int]
orders_lists = st.lists(
    st.builds(
        Order,
        st.integers(1, 3),
        st.integers(0, 300) | st.integers(0, 60 * 24 * 25),
        st.lists(st.integers(0, 99_999), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=20,
)


def items_of(orders: list[Order]) -> pl.DataFrame:
    """Silver's rows of the orders, as far as peak hours read them."""
    rows = [
        {
            "order_id": f"{order.location}-{order.minutes}-{number}",
            "location_id": order.location,
            "order_ts": order.at,
            "extended_price": Decimal(cents) / 100,
        }
        for number, order in enumerate(orders)
        for cents in order.cents
    ]
    schema = {
        "order_id": pl.String(),
        "location_id": pl.Int32(),
        "order_ts": pl.Datetime("us", "UTC"),
        "extended_price": pl.Decimal(18, 2),
    }
    return pl.DataFrame(rows, schema=schema)


def averages_by_hand(orders: list[Order]) -> dict[Cell, tuple[float, Decimal]]:
    """(location, hour, weekday) -> average orders and revenue, counting the calendar hour by hour."""
    hours = [order.at.replace(minute=0) for order in orders]
    span, hour = [], min(hours)
    while hour <= max(hours):
        span.append(hour)
        hour += timedelta(hours=1)
    found = {}
    for location in {order.location for order in orders}:
        mine = [order for order in orders if order.location == location]
        for of_day, of_week in {(h.hour, h.isoweekday()) for h in span}:
            count = sum((h.hour, h.isoweekday()) == (of_day, of_week) for h in span)
            here = [o for o in mine if (o.at.hour, o.at.isoweekday()) == (of_day, of_week)]
            revenue = Decimal(sum(sum(o.cents) for o in here)) / 100 / count
            rounded = revenue.quantize(Decimal("0.01"), ROUND_HALF_UP)
            found[location, of_day, of_week] = (len(here) / count, rounded)
    return found


def merged(*partials: pl.DataFrame) -> pl.DataFrame:
    update = GOLD_LOCATION_PEAK_HOURS.update
    assert isinstance(update, Merge)
    merging = [*update.keys, *update.sums, *update.lowest, *update.highest]
    return peak_hours_from_totals(partial_aggregate(update, pl.concat([p.select(merging) for p in partials])))


def averages_of(rows: pl.DataFrame) -> dict[Cell, tuple[float, Decimal]]:
    return {
        (row["location_id"], row["hour_of_day"], row["day_of_week"]): (row["avg_orders"], row["avg_revenue"])
        for row in rows.iter_rows(named=True)
    }


@given(orders_lists)
def test_averages_are_those_of_counting_hour_by_hour(orders: list[Order]) -> None:
    rows = merged(peak_hours_totals(items_of(orders)))
    assert averages_of(rows) == averages_by_hand(orders)
    assert rows.height == len(averages_of(rows))


@given(orders_lists, st.integers(0, 20))
def test_a_second_batch_gives_what_one_batch_would(orders: list[Order], first: int) -> None:
    items = items_of(orders)
    ids = items["order_id"].unique(maintain_order=True)[:first].to_list()
    one = merged(peak_hours_totals(items.filter(pl.col("order_id").is_in(ids))))
    two = merged(one, peak_hours_totals(items.filter(~pl.col("order_id").is_in(ids))))
    assert two.equals(merged(peak_hours_totals(items)))


def test_an_hour_without_an_order_counts_as_zero() -> None:
    orders = [Order(1, 0, [1000]), Order(1, 60 * 24 * 7 + 59, [501])]
    found = averages_of(merged(peak_hours_totals(items_of(orders))))
    assert found[1, 0, 1] == (1.0, Decimal("7.51")), "two Mondays at midnight; 7.505 rounds up"
    assert found[1, 5, 3] == (0.0, Decimal("0.00"))
    assert len(found) == 168


def test_an_order_of_several_items_is_one_order() -> None:
    found = averages_of(merged(peak_hours_totals(items_of([Order(2, 90, [100, 200, 300])]))))
    assert found == {(2, 1, 1): (1.0, Decimal("6.00"))}


def test_no_orders_are_no_rows() -> None:
    assert merged(peak_hours_totals(items_of([]))).height == 0
