"""The reference names what the pipeline stores."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casper_ray.medallion.bank.bronze import BRONZE
from casper_ray.medallion.bank.pipeline import PIPELINE
from casper_ray.medallion.declare import Table, View

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "bank-tables.md").read_text()
STORED = [table for table in PIPELINE.tables if not isinstance(table.update, View)]


@pytest.mark.parametrize(
    "table", [table for table in STORED if table not in BRONZE], ids=lambda table: table.name
)
def test_each_table_and_each_of_its_columns_is_told_of(table: Table) -> None:
    (section,) = re.findall(rf"^### `{table.name}`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    told = set(re.findall(r"`([a-z_0-9]+)`", section)) | set(re.findall(r"\b([a-z_]+)", section))
    histogram = {f"hist_{place:02d}" for place in range(42)} if "`hist_41`" in section else set()
    assert set(table.schema.names) <= told | histogram
    if table.partition_by:
        assert f"partitioned by `{table.partition_by[0]}`" in re.sub(r"\s+", " ", section).replace(
            "Partitioned", "partitioned"
        )


def test_bronze_is_told_of() -> None:
    assert all(f"`{table.name}`" in PAGE for table in BRONZE)
