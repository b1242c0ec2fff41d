"""What sums of transactions are made of, with Spark."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as fn

MONEY = "decimal(18,2)"


def status_is(status: str) -> Column:
    return fn.col("status") == status


def moved(direction: str) -> Column:
    return status_is("posted") & (fn.col("direction") == direction)


def count(holds: Column, name: str) -> Column:
    return fn.count_if(holds).alias(name)


def worth(holds: Column, name: str) -> Column:
    return (
        fn.sum(fn.when(holds, fn.col("amount_base")).otherwise(fn.lit(0).cast(MONEY))).cast(MONEY).alias(name)
    )
