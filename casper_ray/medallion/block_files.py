"""Data files of a block's rows."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl

from casper_ray import durable
from casper_ray.lakehouse.data_file import DataFile, write_data_file
from casper_ray.medallion.declare import Table


class BlockWriter(NamedTuple):
    """Writes a block's rows as data files. They are made durable here, while the block goes on computing; the
    commit finds them so and need not wait.

    root: the folder of the pipeline's schema. stem: how the files' names begin: the batch and the block.
    """

    root: Path
    stem: str
    flushes: durable.Flushes

    def write(self, rows: pl.DataFrame, table: Table) -> list[DataFile]:
        """The rows as data files: one, or one a partition value."""
        name = f"{self.stem}.parquet"
        # Cast, for a sum of decimals is wider than what it adds up, and readers refuse a wider file.
        schema = pl.Schema(table.schema)
        rows = rows.select(schema.names())
        rows = rows.cast({n: dtype for n, dtype in schema.items() if rows.schema[n] != dtype})
        if not table.partition_by:
            return [self._write_one(rows, table, name, {})]
        (column,) = table.partition_by
        parts = rows.partition_by(column, as_dict=True, include_key=False, maintain_order=True)
        return [
            self._write_one(part, table, f"{column}={value}/{name}", {column: str(value)})
            for (value,), part in parts.items()
        ]

    def _write_one(
        self, rows: pl.DataFrame, table: Table, path: str, partition: dict[str, str | None]
    ) -> DataFile:
        root = self.root / table.name
        file = write_data_file(rows, root, path, partition, table.stats)
        self.flushes.begin(root / file.path)
        return file
