"""Whether two wrote the same rows: exit code 0 if so, 1 with what differs.

    python benchmarks/peers/compare.py POLARS_OUT OTHER_OUT

All tables of POLARS_OUT are compared. OTHER_OUT is Spark's; of the bank also the schema's folder in a lake of ours
(the kitchen's has columns more). `_ingested_at`, wall time, and `_batch_id`, which only ours counts, are left out;
the order of rows and of columns does not count. Of the bank, Spark writes a token's digest in hexadecimal digits, and
has no AES-SIV: a sealed text only has to be there.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

_BASE32 = re.compile(r"([a-z]{3}_v\d+_)([a-z2-7]{26})")


def rows_of(table: Path) -> pl.DataFrame:
    """All rows of a Delta table or of a folder of Parquet files, columns by name, rows sorted."""
    if (table / "_delta_log").is_dir():
        rows = pl.read_delta(str(table))
    else:
        rows = pl.read_parquet(f"{table}/**/*.parquet", hive_partitioning=True, try_parse_hive_dates=True)
    rows = rows.drop("_ingested_at", "_batch_id", strict=False).with_columns(
        *(map_distinct(rows[name], in_hexadecimal) for name in rows.columns if name.endswith("_token")),
        *(map_distinct(rows[name], compact) for name in rows.columns if name in ("before", "after")),
        *(rows[name].is_not_null() for name in rows.columns if name.endswith("_sealed")),
    )
    columns = sorted(rows.columns)
    keys = [name for name in columns if not isinstance(rows.schema[name], pl.List)]
    return rows.select(columns).with_columns(pl.col(pl.Datetime).dt.cast_time_unit("us")).sort(keys)


def map_distinct(column: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """The column with each distinct text changed."""
    texts = column.drop_nulls().unique()
    changed = pl.Series([change(text) for text in texts], dtype=pl.String)
    return column.replace_strict(texts, changed, return_dtype=pl.String)


def in_hexadecimal(token: str) -> str:
    """A token with its 16 bytes in hexadecimal digits instead of base32; any other text as it is."""
    found = _BASE32.fullmatch(token)
    return found[1] + base64.b32decode(found[2].upper() + "======").hex() if found else token


def compact(text: str) -> str:
    """JSON text without spaces: polars puts them between an image's fields, Spark does not."""
    return json.dumps(json.loads(text), separators=(",", ":"))


def main() -> int:
    polars_out, other_out = map(Path, sys.argv[1:3])
    names = sorted(log.parent.name for log in polars_out.glob("*/_delta_log"))
    differing = 0 if names else 1
    for name in names:
        try:
            assert_frame_equal(rows_of(polars_out / name), rows_of(other_out / name), check_exact=True)
        except AssertionError as difference:
            differing += 1
            print(f"{name}: {difference}")
        else:
            print(f"{name}: same")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
