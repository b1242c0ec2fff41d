"""Every table worked out a second time from the volume's lines, knowing nothing of the pipeline's code.

Money is whole cents here, and becomes decimals only for the comparison, which is exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from lakes import GOLD_KEYS, Lake
from polars.testing import assert_frame_equal

_FIELDS = ("event_id", "event_type", "ts", "location_id", "order_id", "sequence", "body")
_WINDOW = re.compile(r"\.w\d{8}\.p\d{4}\.(\d+)-(\d+)\.json$")
_MONEY = pl.Decimal(18, 2)
_INSTANT = pl.Datetime("us", "UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SILVER = {
    "order_id": pl.String,
    "location_id": pl.Int32,
    "order_ts": _INSTANT,
    "order_day": pl.Date,
    "item_id": pl.Int32,
    "menu_id": pl.Int32,
    "category_id": pl.Int32,
    "brand_id": pl.Int32,
    "item_name": pl.String,
    "price": pl.Int64,
    "qty": pl.Int32,
    "extended_price": pl.Int64,
}


class Line(NamedTuple):
    """A line that is an event, the file it stands in, its time, and whether it counts."""

    source_file: str
    event: dict[str, Any]
    at: datetime
    admission: str = "admitted"


def assert_tables_match(lake: Lake) -> None:
    """Bronze, Silver and the six Gold tables are exactly what the volume's lines give."""
    events = judged_lines(lake)
    items = silver([line for line in events if line.admission == "admitted"])
    in_order = ("event_id", "_source_file", "_admission")
    _assert_same("all_events", bronze(events, _known_from(lake)), lake, in_order)
    _assert_same("silver_order_items", _with_money(items), lake, tuple(_SILVER))
    for name, rows in gold(items).items():
        _assert_same(name, rows, lake, GOLD_KEYS[name])


def assert_same_content(one: Lake, other: Lake, *names: str) -> None:
    """Tables of two lakes hold the same rows in the columns of the contract."""
    for name in names or ("silver_order_items", *GOLD_KEYS):
        columns = _columns(name)
        keys = GOLD_KEYS.get(name, tuple(_SILVER))
        first, second = (where.table(name).select(columns).sort(keys) for where in (one, other))
        assert_frame_equal(first, second, check_exact=True, check_dtypes=True)


def assert_batches_add_up(lake: Lake) -> None:
    """Each batch once, each file in one batch, and no row that went nowhere."""
    batches = lake.table("batches")
    assert batches["batch"].is_unique().all()
    files = batches["files"].explode(empty_as_null=False)
    assert files.is_unique().all()
    assert set(files) == {file.name for file in lake.files()}
    went = sum(pl.col(f"rows_{where}") for where in ("out", "duplicate", "late", "dropped", "quarantined"))
    assert batches.filter(pl.col("rows_in") != went).is_empty()
    assert batches["rows_in"].sum() == lake.lines().total()
    counted = lake.table("all_events").filter(pl.col("_admission") == "admitted")
    assert batches["rows_out"].sum() == counted.height
    accounts = batches.select(pl.col("accounts").explode(empty_as_null=False)).unnest("accounts")
    assert accounts.height
    assert accounts.filter(pl.col("rows_in") != went).is_empty()
    assert set(lake.table("all_events")["_batch_id"]) <= set(batches["batch"])


def judged_lines(lake: Lake) -> list[Line]:
    """The volume's lines that are events, in the order in which they came, judged one by one; others are left out.

    Late: three hours and more behind the newest time of the files before, where no file's time counts beyond the
    instant at which it had landed. Duplicate: an id that was admitted before and is not older than that.
    """
    found: list[Line] = []
    watermark = datetime(1, 1, 1, tzinfo=UTC)
    admitted: dict[str, datetime] = {}
    for name, landed in _arrivals(lake):
        lines = event_lines(lake.volume / name)
        found += [line._replace(admission=_admission(line, watermark, admitted)) for line in lines]
        if lines:
            newest = min(max(line.at for line in lines), landed)
            watermark = max(watermark, newest - timedelta(hours=3))
    return found


def event_lines(path: Path) -> list[Line]:
    """A file's lines that are events; others are left out."""
    events = [event for text in path.read_bytes().splitlines() if (event := _event(text)) is not None]
    return [
        Line(path.name, event, datetime.fromisoformat(event["ts"]).replace(tzinfo=UTC)) for event in events
    ]


def _admission(line: Line, watermark: datetime, admitted: dict[str, datetime]) -> str:
    if line.at < watermark:
        return "late"
    before = admitted.get(line.event["event_id"])
    if before is not None and before >= watermark:
        return "duplicate"
    admitted[line.event["event_id"]] = line.at
    return "admitted"


def _arrivals(lake: Lake) -> list[tuple[str, datetime]]:
    """Each file in the order in which a batch first had it, and when it had landed."""
    batches = lake.table("batches").sort("batch").filter(pl.col("replaces").list.len() == 0)
    return [
        (name, _end(name) or instant)
        for files, instant in batches.select("files", "sim_instant").iter_rows()
        for name in files
    ]


def bronze(events: list[Line], known_from: Mapping[str, datetime]) -> pl.DataFrame:
    """Each line's fields as received, its file, and the later of its time and its window's start."""
    rows = [
        (
            *(line.event[name] for name in _FIELDS),
            line.source_file,
            max(line.at, known_from[line.source_file]),
            line.admission,
        )
        for line in events
    ]
    types = {name: pl.Int32 if name in ("location_id", "sequence") else pl.String for name in _FIELDS}
    return pl.DataFrame(
        rows,
        schema={**types, "_source_file": pl.String, "_known_ts": _INSTANT, "_admission": pl.String},
        orient="row",
    )


def silver(events: list[Line]) -> pl.DataFrame:
    """One row per item of an order; money in cents."""
    rows = []
    for line in events:
        if line.event["event_type"] == "order_created":
            for item in json.loads(line.event["body"], parse_float=Decimal)["items"]:
                price = _cents(item["price"])
                if price <= 0 or not 0 < item["qty"] < 100:
                    continue
                ids = (item["id"], item["menu_id"], item["category_id"], item["brand_id"])
                order = (line.event["order_id"], line.event["location_id"], line.at, line.at.date())
                rows.append((*order, *ids, item["name"], price, item["qty"], price * item["qty"]))
    return pl.DataFrame(rows, schema=_SILVER, orient="row")


def gold(items: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The six tables, money as decimals."""
    day = items.with_columns(
        pl.col("order_day").alias("day"), pl.col("order_ts").dt.truncate("1h").alias("hour_ts")
    )
    orders = pl.col("order_id").n_unique().cast(pl.Int64).alias("orders")
    units = pl.col("qty").cast(pl.Int64).sum()
    cents = pl.col("extended_price").sum()
    made = {
        "gold_order_header": day.group_by("order_id").agg(
            pl.col("location_id").first(),
            pl.col("order_day").first(),
            cents.alias("order_revenue"),
            units.alias("total_qty"),
            pl.len().cast(pl.Int64).alias("total_items"),
            pl.col("brand_id").unique().sort().alias("brands_in_order"),
        ),
        "gold_item_sales_day": day.group_by(GOLD_KEYS["gold_item_sales_day"]).agg(
            units.alias("units_sold"), cents.alias("gross_revenue")
        ),
        "gold_brand_sales_day": day.group_by("brand_id", "day").agg(
            orders, units.alias("items_sold"), cents.alias("brand_revenue")
        ),
        "gold_location_sales_hourly": day.group_by("location_id", "hour_ts").agg(
            orders, cents.alias("revenue")
        ),
        "gold_location_brand_day": day.group_by("location_id", "brand_id", "day").agg(
            orders, units.alias("items_sold"), cents.alias("revenue")
        ),
        "gold_location_peak_hours": peak_hours(day),
    }
    return {name: _with_money(rows) for name, rows in made.items()}


def peak_hours(items: pl.DataFrame) -> pl.DataFrame:
    """Averages over every hour of the span, hour by hour, one location after the other. Revenue in cents."""
    totals: dict[tuple[int, datetime], list[int]] = {}
    of_hour = items.group_by("location_id", "hour_ts").agg(
        pl.col("order_id").n_unique(), pl.col("extended_price").sum()
    )
    for location, hour, orders, cents in of_hour.iter_rows():
        totals[location, hour] = [orders, cents]
    first, last = items["hour_ts"].min(), items["hour_ts"].max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    hours = [first + timedelta(hours=i) for i in range(int((last - first).total_seconds()) // 3600 + 1)]
    cells: dict[tuple[int, int, int], list[list[int]]] = {}
    for location in set(items["location_id"]):
        for hour in hours:
            cell = cells.setdefault((location, hour.hour, hour.isoweekday()), [])
            cell.append(totals.get((location, hour), [0, 0]))
    rows = [(*cell, *_average(seen)) for cell, seen in cells.items()]
    ints = dict.fromkeys(GOLD_KEYS["gold_location_peak_hours"], pl.Int32)
    return pl.DataFrame(
        rows, schema={**ints, "avg_orders": pl.Float64, "avg_revenue": pl.Int64}, orient="row"
    )


def _average(seen: list[list[int]]) -> tuple[float, int]:
    orders, cents = (sum(column) for column in zip(*seen, strict=True))
    rounded = (Decimal(cents) / len(seen)).quantize(Decimal(1), ROUND_HALF_UP)
    return orders / len(seen), int(rounded)


def _cents(price: Decimal | int) -> int:
    cents = Decimal(price) * 100
    assert cents == int(cents), f"price {price} has more than two decimals"
    return int(cents)


def _with_money(rows: pl.DataFrame) -> pl.DataFrame:
    """Columns of cents as exact decimals."""
    names = [name for name in rows.columns if name.endswith(("price", "revenue"))]
    return rows.with_columns(
        pl.Series(name, [Decimal(cents).scaleb(-2) for cents in rows[name]], dtype=_MONEY) for name in names
    )


def _known_from(lake: Lake) -> dict[str, datetime]:
    """The instant before which a file was not known: its window's start; for a file from elsewhere, where
    simulated time stood in the batch that took it in."""
    of_batch = {
        name: instant
        for files, instant in lake.table("batches").select("files", "sim_instant").iter_rows()
        for name in files
    }
    return {path.name: _start(path.name) or of_batch[path.name] for path in lake.files()}


def _start(name: str) -> datetime | None:
    match = _WINDOW.search(name)
    return _EPOCH + timedelta(microseconds=int(match[1])) if match else None


def _end(name: str) -> datetime | None:
    match = _WINDOW.search(name)
    return _EPOCH + timedelta(microseconds=int(match[2])) if match else None


def _event(text: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(text.decode(), parse_constant=_refused, object_pairs_hook=_first_of_each)
    except ValueError:
        return None
    if not isinstance(event, dict) or not event.keys() >= set(_FIELDS):
        return None
    whole = all(type(event[name]) is int for name in ("location_id", "sequence"))
    return event if whole and isinstance(event["event_id"], str) else None


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _columns(name: str) -> list[str]:
    """The contract's columns of a table."""
    if name == "silver_order_items":
        return list(_SILVER)
    return gold(pl.DataFrame(schema=_SILVER).vstack(_ONE_ITEM))[name].columns


_ONE_ITEM = pl.DataFrame(
    [("O", 1, datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1).date(), 1, 1, 1, 1, "I", 1, 1, 1)],
    schema=_SILVER,
    orient="row",
)


def _assert_same(name: str, expected: pl.DataFrame, lake: Lake, keys: tuple[str, ...]) -> None:
    found = lake.table(name).select(expected.columns)
    _compare(name, found.sort(keys), expected.sort(keys))


def _compare(name: str, found: pl.DataFrame, expected: pl.DataFrame) -> None:
    try:
        assert_frame_equal(found, expected, check_exact=True)
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from None
