"""What is known elsewhere: the values that references of a source are held against."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from deltalake import DeltaTable

from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.declare import Source


class References:
    """The referenced tables of a catalog. They seldom change: a version's values are read once."""

    def __init__(self, catalog: Catalog, source: Source) -> None:
        self._catalog, self._source = catalog, source
        self._values: dict[tuple[str, int], pl.Series] = {}
        self.versions = {reference.column: self._version(reference.column) for reference in source.references}
        """Of each referenced table now, by column; None where there is none."""

    def values(self, versions: Mapping[str, int | None]) -> dict[str, pl.Series]:
        """The known values at these versions, by column."""
        return {
            column: self._at(column, version) for column, version in versions.items() if version is not None
        }

    def _at(self, column: str, version: int) -> pl.Series:
        if (column, version) not in self._values:
            reference = next(r for r in self._source.references if r.column == column)
            path = self._catalog.table(reference.schema, reference.table)
            rows = scan(path, version=version).select(pl.col(reference.values).unique()).collect()
            self._values[column, version] = rows.to_series()
        return self._values[column, version]

    def _version(self, column: str) -> int | None:
        reference = next(r for r in self._source.references if r.column == column)
        path = self._catalog.table(reference.schema, reference.table)
        return DeltaTable(str(path)).version() if (path / "_delta_log").is_dir() else None
