"""A lake of sample tables."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from deltalake import write_deltalake
from quality_samples import Rows

from casper_ray.lakehouse.names import Catalog
from casper_ray.medallion.report.evidence import BATCHES, LOG, QUARANTINE


@pytest.fixture
def write_lake(catalog: Catalog) -> Callable[..., Catalog]:
    """Writes the tables that are named, in the schema that the pipeline gives them."""

    def write(**tables: Rows) -> Catalog:
        schemas = {"quality_log": LOG, "batches": BATCHES, "quarantine": {**QUARANTINE, "line": pl.String()}}
        for name, rows in tables.items():
            write_deltalake(str(catalog.table("lakeflow", name)), pl.DataFrame(rows, schema=schemas[name]))
        return catalog

    return write
