"""One polars process with delta-rs and no Ray: the least time the kitchen's tables can take here.

    python benchmarks/peers/polars_limit.py VOLUME_DIR OUT_DIR [--json]

It reads every `VOLUME_DIR/*.json` once and writes Bronze, Silver and six Gold Delta tables to OUT_DIR.
No checkpoint, no exactly-once, no deduplication, no late rows: a limit, not a pipeline. README.md says
what was measured before each choice below was made.
"""

from __future__ import annotations

import os

THREADS = 2
os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))

import argparse  # noqa: E402
import json  # noqa: E402
import shutil  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Collection, Mapping, Sequence  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import NamedTuple  # noqa: E402

import polars as pl  # noqa: E402
from deltalake import Field, Schema, WriterProperties, write_deltalake  # noqa: E402
from deltalake.schema import PrimitiveType  # noqa: E402
from deltalake.transaction import AddAction, create_table_with_add_actions  # noqa: E402
from tables import PARTITION_BY, PeerRun, process_age_s  # noqa: E402

PARTS = 2 * THREADS
MONEY = pl.Decimal(18, 2)
UTC_US = pl.Datetime("us", "UTC")
EVENT = {
    "event_id": pl.String,
    "event_type": pl.String,
    "ts": pl.String,
    "location_id": pl.Int32,
    "order_id": pl.String,
    "sequence": pl.Int32,
    "body": pl.String,
}
BRONZE = {
    "event_id": "string",
    "event_type": "string",
    "ts": "string",
    "location_id": "integer",
    "order_id": "string",
    "sequence": "integer",
    "body": "string",
    "_source_file": "string",
    "_batch_id": "long",
    "_known_ts": "timestamp",
    "_ingested_at": "timestamp",
}
ITEM = {
    "id": pl.Int32,
    "category_id": pl.Int32,
    "menu_id": pl.Int32,
    "brand_id": pl.Int32,
    "name": pl.String,
    "price": pl.Float64,
    "qty": pl.Int32,
}
ORDER_BODY = pl.Struct({"items": pl.List(pl.Struct(ITEM))})


class Part(NamedTuple):
    """One share of the files: its Bronze file, committed later, and its Silver rows."""

    bronze: AddAction
    silver: pl.DataFrame


def event_time() -> pl.Expr:
    """`ts` as an instant. Slices and whole numbers took about half the CPU time of `str.to_datetime`."""

    def number(start: int, length: int) -> pl.Expr:
        return pl.col("ts").str.slice(start, length).cast(pl.Int32)

    day = pl.col("ts").str.head(10).str.to_date("%Y-%m-%d").cast(pl.Datetime("us"))
    within = pl.duration(
        hours=number(11, 2), minutes=number(14, 2), seconds=number(17, 2), milliseconds=number(20, 3)
    )
    return (day + within).dt.replace_time_zone("UTC")


def bronze_rows(files: Sequence[Path]) -> pl.DataFrame:
    """all_events: one row per line of `files`, in their order."""
    return (
        pl.scan_ndjson(files, schema=EVENT, include_file_paths="_source_file")
        .with_columns(
            pl.col("_source_file").str.strip_prefix(f"{files[0].parent}/"),
            pl.lit(0, pl.Int64).alias("_batch_id"),
            event_time().alias("_known_ts"),
            pl.lit(time.time_ns() // 1000, pl.Int64).cast(UTC_US).alias("_ingested_at"),
        )
        .collect()
    )


def silver_rows(bronze: pl.DataFrame) -> pl.DataFrame:
    """silver_order_items: one row per item of an order. Only bodies of `order_created` are parsed."""
    price = pl.col("price").cast(MONEY)
    return (
        bronze.lazy()
        .filter(pl.col("event_type") == "order_created")
        .select(
            "order_id",
            "location_id",
            pl.col("_known_ts").alias("order_ts"),
            pl.col("_known_ts").dt.date().alias("order_day"),
            pl.col("body").str.json_decode(ORDER_BODY).struct.field("items"),
        )
        .explode("items")
        .unnest("items")
        .select(
            "order_id",
            "location_id",
            "order_ts",
            "order_day",
            pl.col("id").alias("item_id"),
            "menu_id",
            "category_id",
            "brand_id",
            pl.col("name").alias("item_name"),
            price.alias("price"),
            "qty",
            (price * pl.col("qty")).cast(MONEY).alias("extended_price"),
        )
        .collect()
    )


def write_bronze_file(rows: pl.DataFrame, table: Path, name: str) -> AddAction:
    """One Parquet file of all_events and the action that adds it.

    For all of Bronze in two threads (zstd 1) polars took 1.2 s and write_deltalake 1.5 s.
    """
    file = table / name
    rows.write_parquet(file, compression="snappy")
    first, last = (f"{edge:%Y-%m-%dT%H:%M:%S.%fZ}" for edge in _span(rows["_known_ts"]))
    stats = {"numRecords": rows.height, "minValues": {"_known_ts": first}, "maxValues": {"_known_ts": last}}
    return AddAction(name, file.stat().st_size, {}, time.time_ns() // 1_000_000, True, json.dumps(stats))


def _span(values: pl.Series) -> tuple[object, object]:
    return values.min(), values.max()


def write_part(files: Sequence[Path], table: Path, number: int) -> Part:
    """Bronze and Silver of one share of the files."""
    rows = bronze_rows(files)
    silver = silver_rows(rows)
    return Part(write_bronze_file(rows, table, f"part-{number:05d}.parquet"), silver)


def write_bronze(files: Sequence[Path], table: Path) -> tuple[int, pl.DataFrame]:
    """Rows of all_events, written and committed at once, and all of silver_order_items."""
    table.mkdir(parents=True)
    size = -(-len(files) // PARTS)
    shares = [files[start : start + size] for start in range(0, len(files), size)]
    with ThreadPoolExecutor(THREADS) as threads:
        parts = list(threads.map(lambda at: write_part(at[1], table, at[0]), enumerate(shares)))
    schema = Schema([Field(name, PrimitiveType(kind)) for name, kind in BRONZE.items()])
    create_table_with_add_actions(str(table), schema, [part.bronze for part in parts])
    return sum(json.loads(part.bronze.stats)["numRecords"] for part in parts), pl.concat(
        part.silver for part in parts
    )


def gold_tables(silver: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The six Gold tables."""
    items = silver.lazy().with_columns(pl.col("order_ts").dt.truncate("1h").alias("hour_ts"))
    units = pl.col("qty").sum().cast(pl.Int64)
    revenue = pl.col("extended_price").sum().cast(MONEY)
    orders = pl.col("order_id").n_unique().cast(pl.Int64).alias("orders")
    day = pl.col("order_day").alias("day")
    header = items.group_by("order_id", "location_id", "order_day", "hour_ts").agg(
        revenue.alias("order_revenue"),
        units.alias("total_qty"),
        pl.len().cast(pl.Int64).alias("total_items"),
        pl.col("brand_id").unique().sort().alias("brands_in_order"),
    )
    hourly = header.group_by("location_id", "hour_ts").agg(
        pl.len().cast(pl.Int64).alias("orders"), pl.col("order_revenue").sum().cast(MONEY).alias("revenue")
    )
    plans = {
        "gold_order_header": header.drop("hour_ts"),
        "gold_item_sales_day": items.group_by("item_id", "menu_id", "category_id", "brand_id", day).agg(
            units.alias("units_sold"), revenue.alias("gross_revenue")
        ),
        "gold_brand_sales_day": items.group_by("brand_id", day).agg(
            orders, units.alias("items_sold"), revenue.alias("brand_revenue")
        ),
        "gold_location_brand_day": items.group_by("location_id", "brand_id", day).agg(
            orders, units.alias("items_sold"), revenue.alias("revenue")
        ),
        "gold_location_sales_hourly": hourly,
    }
    tables = dict(zip(plans, pl.collect_all(plans.values()), strict=True))
    return {**tables, "gold_location_peak_hours": peak_hours(tables["gold_location_sales_hourly"])}


def peak_hours(hourly: pl.DataFrame) -> pl.DataFrame:
    """gold_location_peak_hours: one row per location, hour of day and weekday in the span.

    Reads:   gold_location_sales_hourly.
    Rules:   an hour of the span without an order counts as zero; avg_revenue is rounded half up.
    """
    cell = ("hour_of_day", "day_of_week")
    of_hour = (
        pl.col("hour_ts").dt.hour().cast(pl.Int32).alias("hour_of_day"),
        pl.col("hour_ts").dt.weekday().cast(pl.Int32).alias("day_of_week"),
    )
    first, last = _span(hourly["hour_ts"])
    span = pl.select(pl.datetime_range(first, last, "1h", time_unit="us", time_zone="UTC").alias("hour_ts"))
    hours = span.select(of_hour).group_by(cell).agg(pl.len().cast(pl.Int64).alias("hours"))
    cents = (pl.col("revenue") * 100).cast(pl.Int64)
    sums = (
        hourly.with_columns(of_hour)
        .group_by("location_id", *cell)
        .agg(pl.col("orders").sum(), cents.sum().alias("cents"))
    )
    half_up = (2 * pl.col("cents") + pl.col("hours")) // (2 * pl.col("hours"))
    return (
        hourly.select(pl.col("location_id").unique())
        .join(hours, how="cross")
        .join(sums, on=("location_id", *cell), how="left")
        .with_columns(pl.col("orders", "cents").fill_null(0))
        .select(
            "location_id",
            *cell,
            (pl.col("orders") / pl.col("hours")).alias("avg_orders"),
            (half_up.cast(pl.Decimal(20, 2)) / 100).cast(MONEY).alias("avg_revenue"),
        )
    )


def write_table(lake: Path, name: str, rows: pl.DataFrame) -> int:
    """Rows of one Silver or Gold table, by delta-rs; sorted, so that one partition is open at a time."""
    key = PARTITION_BY[name]
    write_deltalake(
        lake / name,
        rows.sort(key) if key else rows,
        partition_by=key,
        writer_properties=WriterProperties(compression="SNAPPY"),
    )
    return rows.height


def run_peer(volume: Path, lake: Path) -> dict[str, int]:
    """Rows of each table after all of `volume` went into `lake`."""
    events, silver = write_bronze(sorted(volume.glob("*.json")), lake / "all_events")
    with ThreadPoolExecutor(THREADS) as threads:
        writing_silver = threads.submit(write_table, lake, "silver_order_items", silver)
        gold = gold_tables(silver)
        writing = {name: threads.submit(write_table, lake, name, rows) for name, rows in gold.items()}
        rows = {name: written.result() for name, written in writing.items()}
        return {"all_events": events, "silver_order_items": writing_silver.result(), **rows}


def polars_main(
    description: str, run: Callable[[Path, Path], Mapping[str, int]], bronze: Collection[str]
) -> None:
    """The program of a peer that is one polars process. run(volume, lake): rows of each table. bronze: tables whose
    rows are events.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("volume", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--json", action="store_true", help="the JSON line alone (it always comes last)")
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    startup_s = process_age_s()
    began = time.perf_counter()
    rows = run(args.volume, args.out)
    processing_s = time.perf_counter() - began
    if not args.json:
        print(f"polars: {sum(rows[table] for table in bronze):,} events in {processing_s:.1f} s")
    made = PeerRun(startup_s=startup_s, processing_s=processing_s, whole_s=process_age_s(), tables=rows)
    print(made.as_json())


if __name__ == "__main__":
    polars_main("Kitchen events to Delta tables with polars alone.", run_peer, ["all_events"])
