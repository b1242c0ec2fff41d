"""Data files and what the log says of them."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casper_ray.lakehouse.data_file import DataFile, add_action, file_digest, named_digest, write_data_file

ROWS = pl.DataFrame({"id": [3, 1, None], "day": [date(2024, 1, 2)] * 3, "name": ["Ann", "Bob", "Cid"]})
instants = st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))


def stats_of(file: DataFile) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(add_action(file).stats)
    return found


def spanning(first: datetime, last: datetime) -> DataFile:
    return DataFile(
        path="a", size_bytes=1, rows=2, partition={}, lowest={"ts": first}, highest={"ts": last}, nulls={}
    )


def test_a_file_is_described_as_it_was_written(tmp_path: Path) -> None:
    file = write_data_file(ROWS, tmp_path, "p=1/a.parquet", {"p": "1"}, ("id", "day"))
    assert (file.rows, file.partition) == (3, {"p": "1"})
    assert file.size_bytes == (tmp_path / file.path).stat().st_size
    assert (file.lowest, file.highest) == (
        {"id": 1, "day": date(2024, 1, 2)},
        {"id": 3, "day": date(2024, 1, 2)},
    )
    assert file.nulls == {"id": 1, "day": 0}
    assert pl.read_parquet(tmp_path / file.path, hive_partitioning=False).equals(ROWS)


def test_columns_without_statistics_stay_out_of_log_and_footer(tmp_path: Path) -> None:
    file = write_data_file(ROWS, tmp_path, "a.parquet", {}, ("id",))
    assert stats_of(file) == {
        "numRecords": 3,
        "minValues": {"id": 1},
        "maxValues": {"id": 3},
        "nullCount": {"id": 1},
    }
    footer = pq.read_metadata(tmp_path / file.path).row_group(0)
    assert [footer.column(i).statistics for i in range(3)] == [None] * 3


def test_a_column_of_nulls_has_a_count_and_no_bounds(tmp_path: Path) -> None:
    file = write_data_file(ROWS.with_columns(id=None), tmp_path, "a.parquet", {}, ("id",))
    assert stats_of(file) == {"numRecords": 3, "minValues": {}, "maxValues": {}, "nullCount": {"id": 3}}


def test_equal_rows_make_equal_bytes(tmp_path: Path) -> None:
    one, other = (write_data_file(ROWS, tmp_path, name, {}, ()) for name in ("a.parquet", "b.parquet"))
    assert (tmp_path / one.path).read_bytes() == (tmp_path / other.path).read_bytes()
    assert named_digest(one.path) == named_digest(other.path)


def test_a_name_says_what_the_bytes_are(tmp_path: Path) -> None:
    file = write_data_file(ROWS, tmp_path, "p=1/a.parquet", {"p": "1"}, ())
    path = tmp_path / file.path
    assert file.path == f"p=1/a-{file_digest(path)}.parquet"
    assert named_digest(file.path) == hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert named_digest(file.path) != file_digest(path)
    assert named_digest("part-00000-c000.snappy.parquet") is None


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    too_long = "a" * 200
    with pytest.raises(OSError, match=too_long):
        write_data_file(ROWS, tmp_path, f"{too_long}{too_long}.parquet", {}, ())
    assert os.listdir(tmp_path) == []


@given(instants, instants)
def test_bounds_of_instants_are_rounded_outwards_to_the_millisecond(one: datetime, other: datetime) -> None:
    first, last = sorted((one, other))
    stats = stats_of(spanning(first, last))
    low = datetime.fromisoformat(str(stats["minValues"]["ts"]))
    high = datetime.fromisoformat(str(stats["maxValues"]["ts"]))
    assert timedelta(0) <= first - low < timedelta(milliseconds=1)
    assert timedelta(0) <= high - last < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("microsecond", "low", "high"),
    [
        (0, "00.000Z", "00.000Z"),
        (1, "00.000Z", "00.001Z"),
        (999_999, "00.999Z", "01.000Z"),
        (5000, "00.005Z", "00.005Z"),
    ],
)
def test_bounds_of_instants_are_written_as_the_protocol_has_them(
    microsecond: int, low: str, high: str
) -> None:
    instant = datetime(2024, 1, 1, microsecond=microsecond, tzinfo=UTC)
    stats = stats_of(spanning(instant, instant))
    assert stats["minValues"] == {"ts": f"2024-01-01T00:00:{low}"}
    assert stats["maxValues"] == {"ts": f"2024-01-01T00:00:{high}"}
