"""A pipeline's tables as one batch left them: what tools read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import ClassVar

import polars as pl

from casper_ray.errors import LakeError
from casper_ray.lakehouse.batch_versions import LeftBy, left_by, left_by_each
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan


class PipelineStore:
    """The tables of one pipeline's schema, pinned to a batch. `follow` takes later batches in.

    For one thread at a time while it follows; any number while it does not.
    """

    schema: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    """Tables that answers come from: what a decision names with their versions."""

    def __init__(self, catalog: Catalog, batch: int | None = None) -> None:
        self.catalog = catalog
        self.left = LeftBy(-1, None, {})
        self.follow(batch)

    @property
    def batch(self) -> int:
        return self.left.batch

    @property
    def sim_instant(self) -> datetime | None:
        """Where simulated time stood when the batch was through."""
        return self.left.sim_instant

    @property
    def versions(self) -> Mapping[str, int]:
        """`schema.table` to the version that answers are from."""
        return self._named(self.left.versions)

    def versions_by_batch(self, batches: Collection[int]) -> Mapping[int, Mapping[str, int]]:
        """`versions` as each of the batches left them; of a batch that there is not, the store's own."""
        if not set(batches) - {self.batch}:
            return dict.fromkeys(batches, self.versions)
        found = left_by_each(self.catalog, self.schema, batches)
        return {
            batch: self._named(found[batch].versions) if batch in found else self.versions
            for batch in batches
        }

    def _named(self, versions: Mapping[str, int]) -> dict[str, int]:
        return {f"{self.schema}.{name}": versions[name] for name in self.reads if name in versions}

    def follow(self, batch: int | None = None) -> bool:
        """Take in what batches brought since, up to `batch` or the newest; whether there was anything."""
        left = left_by(self.catalog, self.schema, batch)
        if left.batch <= self.left.batch:
            return False
        self.take_in(left)
        self.left = left
        return True

    def take_in(self, left: LeftBy) -> None:
        """Read what came between the store's batch (`self.left`, as it still is) and `left`."""

    def table(self, name: str, left: LeftBy | None = None) -> pl.LazyFrame:
        """A table at the version that the store's batch left, or `left`. Raises: LakeError before the first batch."""
        versions = (left or self.left).versions
        if name not in versions:
            raise LakeError(
                f"{self.schema}.{name}: not there before the pipeline's first batch", "run it first"
            )
        return scan(self.catalog.table(self.schema, name), version=versions[name])
