"""The bank's tables through PySpark Structured Streaming, tuned as a competent user would.

    python benchmarks/peers/bank_spark_streaming.py VOLUME_DIR OUT_DIR [--json]

Four Bronze tables and silver_transactions are streams with trigger availableNow; silver_customers, which looks ahead,
and the eight Gold tables are then made in batch. Parquet sinks, no Delta log, no deduplication, no late rows, no
rules of quality. README.md says what differs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bank_spark_gold import gold_tables
from bank_spark_silver import read_dimensions, silver_customers, silver_transactions
from bank_spark_tokens import Tokens
from bank_tables import BRONZE, PARTITION_BY, field_types
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as fn
from pyspark.sql.streaming import StreamingQuery
from spark_streaming import CORES, spark_main

from casper_ray.domain.bank import CUSTOMER_CDC


def feed_lines(spark: SparkSession, volume: Path, feed: str) -> DataFrame:
    """One row per line of a feed, as a stream."""
    schema = ", ".join(
        f"{name} {'bigint' if kind == 'long' else kind}" for name, kind in field_types(feed).items()
    )
    return spark.readStream.schema(schema).json(str(volume / feed))


def bronze_rows(events: DataFrame, feed: str) -> DataFrame:
    """One row per line of the feed."""
    return events.select(
        "*",
        fn.concat(fn.lit(f"{feed}/"), fn.col("_metadata.file_name")).alias("_source_file"),
        fn.lit(0).cast("long").alias("_batch_id"),
        fn.col("ts").cast("timestamp").alias("_known_ts"),
        fn.current_timestamp().alias("_ingested_at"),
        fn.lit("admitted").alias("_admission"),
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


def write_batch_tables(spark: SparkSession, lake: Path, tokens: Tokens) -> None:
    """silver_customers and all Gold tables, as many at a time as there are cores."""
    silver = spark.read.parquet(str(lake / "silver_transactions"))
    transactions = silver.repartition(CORES, "txn_day").persist(StorageLevel.MEMORY_ONLY)
    changes = spark.read.parquet(str(lake / BRONZE[CUSTOMER_CDC]))
    tables = {**gold_tables(transactions), "silver_customers": silver_customers(changes, tokens)}

    def write(name: str, rows: DataFrame) -> None:
        rows.write.parquet(str(lake / name), partitionBy=PARTITION_BY[name])

    with ThreadPoolExecutor(CORES) as threads:
        for done in [threads.submit(write, *table) for table in tables.items()]:
            done.result()


def run_peer(spark: SparkSession, volume: Path, lake: Path) -> None:
    """Everything in `volume` into the fourteen tables of `lake`."""
    tokens, dimensions = Tokens(volume), read_dimensions(spark, volume)
    feeds = {feed: feed_lines(spark, volume, feed) for feed in BRONZE}
    streams = [start_stream(bronze_rows(events, feed), lake, BRONZE[feed]) for feed, events in feeds.items()]
    transactions = {feed: events for feed, events in feeds.items() if feed != CUSTOMER_CDC}
    silver = silver_transactions(transactions, dimensions, tokens)
    streams.append(start_stream(silver, lake, "silver_transactions"))
    for stream in streams:
        stream.awaitTermination()
    write_batch_tables(spark, lake, tokens)


if __name__ == "__main__":
    spark_main("The bank's events to Parquet tables with Spark.", run_peer, PARTITION_BY, BRONZE.values())
