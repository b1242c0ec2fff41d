"""The kitchen's tables through PySpark Structured Streaming, tuned as a competent user would.

    python benchmarks/peers/spark_streaming.py VOLUME_DIR OUT_DIR [--json]

Bronze and Silver are streams with trigger availableNow; the six Gold tables are then made in batch from
Silver. Parquet sinks, no Delta log, no deduplication, no late rows. README.md says which variants were
measured.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as fn
from pyspark.sql.streaming import StreamingQuery
from tables import PARTITION_BY, PeerRun, process_age_s

CORES = 2
SETTINGS = {
    "spark.driver.memory": "4g",
    # Bronze and Silver took 62 to 74 s of CPU time so, 75 to 90 s with G1, the default; noisy, see README.md.
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": str(CORES),
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "snappy",
}
EVENT = """event_id string, event_type string, ts string, location_id int, order_id string,
    sequence int, body string"""
ORDER_BODY = """items array<struct<id: int, category_id: int, menu_id: int, brand_id: int, name: string,
    price: decimal(18,2), qty: int>>"""
MONEY = "decimal(18,2)"


def build_session() -> SparkSession:
    """A session whose JVM has run one job."""
    builder = SparkSession.builder.master(f"local[{CORES}]").appName("casper-peer")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.range(1000).agg(fn.sum("id")).collect()
    return spark


def event_lines(spark: SparkSession, volume: Path) -> DataFrame:
    return spark.readStream.schema(EVENT).json(str(volume))


def bronze_rows(events: DataFrame) -> DataFrame:
    """all_events: one row per line of the volume."""
    return events.select(
        "*",
        fn.col("_metadata.file_name").alias("_source_file"),
        fn.lit(0).cast("long").alias("_batch_id"),
        fn.col("ts").cast("timestamp").alias("_known_ts"),
        fn.current_timestamp().alias("_ingested_at"),
    )


def silver_rows(events: DataFrame) -> DataFrame:
    """silver_order_items: one row per item of an order. Only bodies of `order_created` are parsed."""
    item = fn.explode(fn.from_json("body", ORDER_BODY)["items"]).alias("item")
    orders = events.where(fn.col("event_type") == "order_created")
    return orders.select(
        "order_id", "location_id", fn.col("ts").cast("timestamp").alias("order_ts"), item
    ).select(
        "order_id",
        "location_id",
        "order_ts",
        fn.to_date("order_ts").alias("order_day"),
        fn.col("item.id").alias("item_id"),
        "item.menu_id",
        "item.category_id",
        "item.brand_id",
        fn.col("item.name").alias("item_name"),
        "item.price",
        "item.qty",
        (fn.col("item.price") * fn.col("item.qty")).cast(MONEY).alias("extended_price"),
    )


def start_stream(rows: DataFrame, lake: Path, name: str) -> StreamingQuery:
    """The stream that writes one table of all that the volume holds, then ends."""
    writer = (
        rows.writeStream.format("parquet")
        .queryName(name)
        .option("path", str(lake / name))
        .option("checkpointLocation", str(lake / "_checkpoints" / name))
        .trigger(availableNow=True)
    )
    key = PARTITION_BY[name]
    return (writer.partitionBy(key) if key else writer).start()


def _revenue(column: str = "extended_price") -> Column:
    return fn.sum(column).cast(MONEY)


def gold_tables(items: DataFrame) -> dict[str, DataFrame]:
    """The six Gold tables.

    `items` holds Silver partitioned by order_day, so a grouping that contains order_day needs no shuffle.
    """
    day = fn.col("order_day").alias("day")
    hour = fn.date_trunc("hour", "order_ts").alias("hour_ts")
    header = items.groupBy("order_day", "order_id", "location_id", hour).agg(
        _revenue().alias("order_revenue"),
        fn.sum("qty").alias("total_qty"),
        fn.count("*").alias("total_items"),
        fn.sort_array(fn.collect_set("brand_id")).alias("brands_in_order"),
    )
    hourly = header.groupBy("order_day", "location_id", "hour_ts").agg(
        fn.count("*").alias("orders"), _revenue("order_revenue").alias("revenue")
    )
    brand_order = items.groupBy("order_day", "location_id", "brand_id", "order_id").agg(
        fn.sum("qty").alias("qty"), fn.sum("extended_price").alias("extended_price")
    )
    brand_totals = (
        fn.count("*").alias("orders"),
        fn.sum("qty").alias("items_sold"),
    )
    return {
        "gold_order_header": header.select(
            "order_id",
            "location_id",
            "order_day",
            "order_revenue",
            "total_qty",
            "total_items",
            "brands_in_order",
        ),
        "gold_item_sales_day": items.groupBy("item_id", "menu_id", "category_id", "brand_id", "order_day")
        .agg(fn.sum("qty").alias("units_sold"), _revenue().alias("gross_revenue"))
        .withColumnRenamed("order_day", "day"),
        "gold_brand_sales_day": brand_order.groupBy("brand_id", "order_day")
        .agg(*brand_totals, _revenue().alias("brand_revenue"))
        .select("brand_id", day, "orders", "items_sold", "brand_revenue"),
        "gold_location_brand_day": brand_order.groupBy("location_id", "brand_id", "order_day")
        .agg(*brand_totals, _revenue().alias("revenue"))
        .select("location_id", "brand_id", day, "orders", "items_sold", "revenue"),
        "gold_location_sales_hourly": hourly.select("location_id", "hour_ts", "orders", "revenue"),
        "gold_location_peak_hours": peak_hours(hourly),
    }


def peak_hours(hourly: DataFrame) -> DataFrame:
    """gold_location_peak_hours: one row per location, hour of day and weekday in the span.

    Rules: an hour of the span without an order counts as zero; avg_revenue is rounded half up.
    """
    cell = ["hour_of_day", "day_of_week"]
    of_hour = (
        fn.hour("hour_ts").alias("hour_of_day"),
        (fn.weekday("hour_ts") + 1).alias("day_of_week"),
    )
    span = hourly.agg(fn.min("hour_ts").alias("first"), fn.max("hour_ts").alias("last"))
    hours = (
        span.select(fn.explode(fn.expr("sequence(first, last, interval 1 hour)")).alias("hour_ts"))
        .groupBy(*of_hour)
        .agg(fn.count("*").alias("hours"))
    )
    sums = hourly.groupBy("location_id", *of_hour).agg(
        fn.sum("orders").alias("orders"), fn.sum("revenue").alias("revenue")
    )
    orders, revenue = fn.coalesce("orders", fn.lit(0)), fn.coalesce("revenue", fn.lit(0).cast(MONEY))
    cells = hourly.select("location_id").distinct().crossJoin(fn.broadcast(hours))
    return cells.join(fn.broadcast(sums), ["location_id", *cell], "left").select(
        "location_id",
        *cell,
        (orders / fn.col("hours")).alias("avg_orders"),
        fn.round(revenue / fn.col("hours"), 2).cast(MONEY).alias("avg_revenue"),
    )


def write_gold(spark: SparkSession, lake: Path) -> None:
    """All six Gold tables from Silver, as many at a time as there are cores."""
    silver = spark.read.parquet(str(lake / "silver_order_items")).drop("item_name", "price")
    items = silver.repartition(CORES, "order_day").persist(StorageLevel.MEMORY_ONLY)

    def write(name: str, rows: DataFrame) -> None:
        key = PARTITION_BY[name]
        rows.write.parquet(str(lake / name), partitionBy=key)

    with ThreadPoolExecutor(CORES) as threads:
        for done in [threads.submit(write, *table) for table in gold_tables(items).items()]:
            done.result()


def run_peer(spark: SparkSession, volume: Path, lake: Path) -> None:
    """Everything in `volume` into the eight tables of `lake`.

    Bronze and Silver each read the volume, side by side. One query whose foreachBatch writes both was
    no faster (one run each: 22.1 s and 22.7 s); README.md lists the other variants tried.
    """
    streams = [
        start_stream(bronze_rows(event_lines(spark, volume)), lake, "all_events"),
        start_stream(silver_rows(event_lines(spark, volume)), lake, "silver_order_items"),
    ]
    for stream in streams:
        stream.awaitTermination()
    write_gold(spark, lake)


def spark_main(
    description: str,
    run: Callable[[SparkSession, Path, Path], None],
    tables: Collection[str],
    bronze: Collection[str],
) -> None:
    """The program of a Spark peer. run(session, volume, out). bronze: tables whose rows are events."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("volume", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--json", action="store_true", help="the JSON line alone (it always comes last)")
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    spark = build_session()
    startup_s = process_age_s()
    began = time.perf_counter()
    run(spark, args.volume.resolve(), args.out)
    processing_s = time.perf_counter() - began
    counting = time.perf_counter()
    rows = {name: spark.read.parquet(str(args.out / name)).count() for name in tables}
    counting_s = time.perf_counter() - counting
    spark.stop()
    if not args.json:
        print(f"Spark: {sum(rows[table] for table in bronze):,} events in {processing_s:.1f} s")
    whole_s = process_age_s() - counting_s
    print(PeerRun(startup_s=startup_s, processing_s=processing_s, whole_s=whole_s, tables=rows).as_json())


if __name__ == "__main__":
    spark_main("Kitchen events to Parquet tables with Spark.", run_peer, PARTITION_BY, ["all_events"])
