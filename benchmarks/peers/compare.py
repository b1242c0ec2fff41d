"""Whether both peers wrote the same rows: exit code 0 if so, 1 with one line per table that differs.

    python benchmarks/peers/compare.py POLARS_OUT SPARK_OUT

`_ingested_at`, wall time, is left out; the order of rows and of columns does not count.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal
from tables import PARTITION_BY


def rows_of(table: Path) -> pl.DataFrame:
    """All rows of a Delta table or of a folder of Parquet files, columns by name, rows sorted."""
    if (table / "_delta_log").is_dir():
        rows = pl.read_delta(str(table))
    else:
        rows = pl.read_parquet(f"{table}/**/*.parquet", hive_partitioning=True, try_parse_hive_dates=True)
    rows = rows.drop("_ingested_at", strict=False)
    columns = sorted(rows.columns)
    keys = [name for name in columns if not isinstance(rows.schema[name], pl.List)]
    return rows.select(columns).with_columns(pl.col(pl.Datetime).dt.cast_time_unit("us")).sort(keys)


def main() -> int:
    polars_out, spark_out = map(Path, sys.argv[1:3])
    differing = 0
    for name in PARTITION_BY:
        try:
            assert_frame_equal(rows_of(polars_out / name), rows_of(spark_out / name), check_exact=True)
        except AssertionError as difference:
            differing += 1
            print(f"{name}: {difference}")
        else:
            print(f"{name}: same")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
