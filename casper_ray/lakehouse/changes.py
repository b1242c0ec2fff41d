"""What changed in a table between two of its versions, net: rows that were only written anew do not count."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from casper_ray.lakehouse.open_table import live_files
from casper_ray.lakehouse.read import at_version

CHANGE = "_change_type"
_COUNT = "_copies"


def changes(path: Path, first: int, last: int, keys: tuple[str, ...] = ()) -> pl.DataFrame:
    """Rows of version `last` that version `first` had not, and the reverse.

    Returns: the table's columns and `_change_type`: insert or delete; with `keys`, a key that both versions have is
             an update_preimage and an update_postimage. Sorted by key, else in no particular order.
    Rules:   equal rows cancel, one by one. Only files that one of the versions has and the other has not are read.
    Raises:  LakeError where one of the versions cannot be read.
    """
    before, after = (at_version(path, version) for version in (first, last))
    files = [set(live_files(handle)["path"]) for handle in (before, after)]
    gone, come = (
        _rows(handle, names)
        for handle, names in ((before, files[0] - files[1]), (after, files[1] - files[0]))
    )
    deleted, inserted = _minus(gone, come), _minus(come, gone)
    found = pl.concat(
        [
            deleted.with_columns(pl.lit("delete").alias(CHANGE)),
            inserted.with_columns(pl.lit("insert").alias(CHANGE)),
        ],
        how="diagonal",
    )
    return _with_updates(found, keys) if keys else found


def _rows(handle: DeltaTable, names: set[str]) -> pl.DataFrame:
    """The rows of some of a version's files, partition columns too."""
    rows = pl.scan_delta(handle)
    if not names:
        return rows.clear().collect()
    if len(names) == live_files(handle).height:
        return rows.collect()
    schema = rows.collect_schema()
    partitions = {row["path"]: row for row in live_files(handle).iter_rows(named=True)}
    root = Path(handle.table_uri.removeprefix("file://"))
    frames = []
    for name in sorted(names):
        values = {key[10:]: value for key, value in partitions[name].items() if key.startswith("partition.")}
        part = pl.read_parquet(root / name, hive_partitioning=False)
        frames.append(part.with_columns(pl.lit(value).alias(key) for key, value in values.items()))
    found = pl.concat(frames, how="diagonal")
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in found.columns]
    return found.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _minus(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The rows without those that the others have too, one for one."""
    columns = rows.columns
    counted, against = (
        frame.with_columns(pl.int_range(pl.len()).over(columns).alias(_COUNT)) for frame in (rows, others)
    )
    on = [*columns, _COUNT]
    return counted.join(against, on=on, how="anti", nulls_equal=True).drop(_COUNT)


def _with_updates(found: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    both = pl.len().over(keys) > 1
    image = (
        pl.when(pl.col(CHANGE) == "delete")
        .then(pl.lit("update_preimage"))
        .otherwise(pl.lit("update_postimage"))
    )
    return found.with_columns(pl.when(both).then(image).otherwise(CHANGE).alias(CHANGE)).sort(
        *keys, CHANGE, descending=[False] * len(keys) + [True]
    )
