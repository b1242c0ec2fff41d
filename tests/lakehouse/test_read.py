"""Reads answer from what was known, and never from what came later."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest

from casper_ray.domain.time import SimMicros, sim_micros
from casper_ray.errors import LakeError
from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import write_data_file
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable, TableFormat
from casper_ray.lakehouse.read import scan, scan_as_of, version_as_of, version_at

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
_TS = pa.timestamp("us", "UTC")
_KNOWN = pa.schema([("id", pa.int64()), ("_known_ts", _TS)])
_PLAIN = pa.schema([("id", pa.int64())])
_ACCOUNT = pa.struct([("table", pa.string()), ("table_rows", pa.int64())])
_BATCHES = pa.schema(
    [
        ("batch", pa.int64()),
        ("sim_instant", _TS),
        ("versions", pa.list_(pa.string())),
        ("accounts", pa.list_(_ACCOUNT)),
    ]
)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def instant(minutes: float) -> SimMicros:
    return sim_micros(at(minutes))


def append(catalog: Catalog, name: str, schema: pa.Schema, rows: list[dict[str, object]]) -> int:
    """Commit rows to a table of `lakeflow`; returns its version."""
    table = OpenTable(catalog.table("lakeflow", name), TableFormat(schema=schema))
    batch = table.version + 1
    frame = pl.DataFrame(rows, schema=pl.Schema(schema))
    file = write_data_file(frame, table.path, f"{batch}.parquet", {}, ())
    commit_once(table, app="a", batch=batch, change=lambda _: Change(add=(file,)))
    return table.version


def ended(batch: int, minutes: float, version: int, rows: int) -> dict[str, object]:
    """The row of a batch that left `totals` at a version, with so many rows."""
    versions = ["other=77", f"totals={version}"]
    accounts = [{"table": "totals", "table_rows": rows}]
    return {"batch": batch, "sim_instant": at(minutes), "versions": versions, "accounts": accounts}


def ids(rows: pl.LazyFrame) -> list[int]:
    return sorted(rows.select("id").collect().to_series().to_list())


def test_a_read_is_of_the_newest_version_or_the_one_asked_for(catalog: Catalog) -> None:
    for number in (1, 2):
        append(catalog, "t", _PLAIN, [{"id": number}])
    path = catalog.table("lakeflow", "t")
    assert ids(scan(path)) == [1, 2]
    assert [ids(scan(path, version=version)) for version in (0, 1, 2)] == [[], [1], [1, 2]]


def test_a_version_that_never_was_is_refused(catalog: Catalog) -> None:
    append(catalog, "t", _PLAIN, [{"id": 1}])
    with pytest.raises(LakeError, match="has no readable version 9"):
        scan(catalog.table("lakeflow", "t"), version=9)


def test_a_table_that_is_not_there_is_refused(catalog: Catalog) -> None:
    with pytest.raises(LakeError, match=r"no table at .*casper lake ls"):
        scan(catalog.table("lakeflow", "t"))


def test_a_row_is_unknown_until_its_instant_has_come(catalog: Catalog) -> None:
    rows = [{"id": number, "_known_ts": at(number)} for number in (1, 2, 3)]
    append(catalog, "events", _KNOWN, rows)
    append(catalog, "events", _KNOWN, [{"id": 4, "_known_ts": at(1.5)}])
    found = [ids(scan_as_of(catalog, "lakeflow", "events", instant(m))) for m in (0.99, 1, 1.5, 2.99, 60)]
    assert found == [[], [1], [1, 4], [1, 2, 4], [1, 2, 3, 4]]


def test_a_table_of_totals_answers_with_the_version_of_the_last_batch_by_then(catalog: Catalog) -> None:
    for batch in (1, 2):
        version = append(catalog, "totals", _PLAIN, [{"id": batch}])
        append(catalog, "batches", _BATCHES, [ended(batch, 10 * batch, version, rows=batch)])
    append(catalog, "totals", _PLAIN, [{"id": 3}])
    found = [ids(scan_as_of(catalog, "lakeflow", "totals", instant(m))) for m in (9, 10, 19.9, 20, 9999)]
    assert found == [[], [1], [1], [1, 2], [1, 2]]


def test_a_read_before_the_first_batch_is_empty_and_has_the_columns(catalog: Catalog) -> None:
    append(catalog, "totals", _PLAIN, [{"id": 1}])
    append(catalog, "batches", _BATCHES, [ended(1, 10, 1, rows=1)])
    found = scan_as_of(catalog, "lakeflow", "totals", instant(0)).collect()
    assert (found.height, found.columns) == (0, ["id"])


def test_of_batches_at_one_instant_the_last_one_counts(catalog: Catalog) -> None:
    for number in (1, 2, 3):
        append(catalog, "totals", _PLAIN, [{"id": number}])
    append(catalog, "batches", _BATCHES, [ended(batch, 10, batch, rows=batch) for batch in (3, 1, 2)])
    assert version_as_of(catalog, "lakeflow", "totals", instant(10)) == 3
    assert version_as_of(catalog, "lakeflow", "totals", instant(9)) is None
    assert version_as_of(catalog, "lakeflow", "unheard_of", instant(10)) is None


def test_a_version_that_is_not_what_its_batch_left_is_refused(catalog: Catalog) -> None:
    append(catalog, "totals", _PLAIN, [{"id": 1}])
    append(catalog, "batches", _BATCHES, [ended(7, 10, 1, rows=2)])
    with pytest.raises(LakeError, match="version 1 is not what batch 7 left any more"):
        version_as_of(catalog, "lakeflow", "totals", instant(10))


def test_a_wall_clock_instant_has_the_version_of_then(catalog: Catalog) -> None:
    path = catalog.table("lakeflow", "t")
    append(catalog, "t", _PLAIN, [{"id": 1}])
    time.sleep(0.01)
    between = datetime.now(UTC)
    time.sleep(0.01)
    append(catalog, "t", _PLAIN, [{"id": 2}])
    assert version_at(path, between) == 1
    assert version_at(path, datetime.now(UTC)) == 2
    with pytest.raises(LakeError, match="has no version of 1999"):
        version_at(path, datetime(1999, 1, 1, tzinfo=UTC))
