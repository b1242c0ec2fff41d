"""A small partitioned table, and data files for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.lakehouse.open_table import OpenTable, TableFormat

LAYOUT = TableFormat(
    schema=pa.schema([("id", pa.int64()), ("name", pa.string()), ("day", pa.date32())]),
    partition_by=("day",),
    stats=("id",),
)


@pytest.fixture
def open_table(tmp_path: Path) -> Callable[[], OpenTable]:
    """Opens one table of the test's own, as often as it is called."""
    return lambda: OpenTable(tmp_path / "table", LAYOUT)


@pytest.fixture
def data_file(tmp_path: Path) -> Callable[..., DataFile]:
    """Writes a data file of that table; it is in no log yet."""

    def write(name: str, ids: list[int], day: date = date(2024, 1, 1)) -> DataFile:
        rows = pl.DataFrame(
            {"id": ids, "name": [f"Ann Person {i}" for i in ids]}, schema={"id": pl.Int64, "name": pl.String}
        )
        return write_data_file(
            rows, tmp_path / "table", f"day={day}/{name}.parquet", {"day": str(day)}, LAYOUT.stats
        )

    return write
