"""What is known elsewhere: the tables that references and lookups of a pipeline are answered from."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from deltalake import DeltaTable

from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.declare import Pipeline

Known = Mapping[str, pl.DataFrame]
"""Per table, `schema.table`, its rows by the columns that are asked of it; those that are not there are left out."""


class References:
    """The referenced tables of a catalog. They seldom change: a version's rows are read once."""

    def __init__(self, catalog: Catalog, pipeline: Pipeline) -> None:
        self._catalog, self._columns = catalog, _columns(pipeline)
        self._rows: dict[tuple[str, int], pl.DataFrame] = {}
        self.versions = {name: self._version(name) for name in self._columns}
        """Of each referenced table now; None where there is none."""

    def known(self, versions: Mapping[str, int | None]) -> dict[str, pl.DataFrame]:
        """The tables' rows at these versions. Raises: LakeError where a table lacks a column."""
        return {name: self._at(name, version) for name, version in versions.items() if version is not None}

    def _at(self, name: str, version: int) -> pl.DataFrame:
        if (name, version) not in self._rows:
            path = self._catalog.table(*name.split("."))
            rows = scan(path, version=version)
            if missing := set(self._columns[name]) - set(rows.collect_schema().names()):
                raise LakeError(
                    f"table {path}: lacks {', '.join(sorted(missing))}, which other tables look up in it",
                    "it was made by another version of casper_ray, or changed; use that one, or another --lake",
                )
            found = rows.select(self._columns[name]).unique(maintain_order=True)
            self._rows[name, version] = found.collect()
        return self._rows[name, version]

    def _version(self, name: str) -> int | None:
        path = self._catalog.table(*name.split("."))
        return DeltaTable(str(path)).version() if (path / "_delta_log").is_dir() else None


def _columns(pipeline: Pipeline) -> dict[str, list[str]]:
    """Per referenced table, the columns that are asked of it."""
    asked: dict[str, list[str]] = {}
    for source in pipeline.sources:
        for reference in source.references:
            asked.setdefault(reference.full_name, []).append(reference.values)
    for table in pipeline.tables:
        for lookup in table.lookups:
            asked.setdefault(lookup.full_name, []).extend(lookup.columns)
    return {name: list(dict.fromkeys(columns)) for name, columns in asked.items()}
