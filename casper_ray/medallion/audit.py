"""What is amiss between a pipeline's tables: one behind the others, one with other rows than its batches left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from deltalake import DeltaTable

from casper_ray.lakehouse.fsck import Finding
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import live_files
from casper_ray.lakehouse.read import at_version, scan
from casper_ray.medallion.batch import BatchJournal
from casper_ray.medallion.batches import BATCHES, versions_of
from casper_ray.medallion.declare import Pipeline


class Standing(NamedTuple):
    """How a pipeline's tables should stand: after which batch, at least at which versions, with how many rows."""

    batch: int
    versions: dict[str, int]
    rows: dict[str, int]


def standing(catalog: Catalog, pipeline: Pipeline) -> Standing | None:
    """What `batches` says of the newest batch; None before the first. Raises: LakeError."""
    path = catalog.table(pipeline.schema, BATCHES.name)
    if not (path / "_delta_log").is_dir():
        return None
    newest = scan(path).sort("batch").select("batch", "versions", "accounts").tail(1).collect()
    if newest.is_empty():
        return None
    batch, versions, accounts = newest.row(0)
    rows = {
        account["table"]: account["table_rows"] for account in accounts if account["table_rows"] is not None
    }
    return Standing(batch, versions_of(versions), rows)


def pipeline_findings(catalog: Catalog, pipeline: Pipeline) -> Iterator[Finding]:
    """Tables that lack a batch, or hold other rows than the last batch left; a batch that was not finished.

    Only for tables whose logs can be read. A batch that is under way makes a table's rows differ for its moment: look
    when no run is live.
    """
    should = standing(catalog, pipeline)
    if pending := _half_done(catalog, pipeline, should):
        yield pending
        return
    if should is None:
        return
    for name, version in should.versions.items():
        handle = at_version(catalog.table(pipeline.schema, name))
        full_name = f"{pipeline.schema}.{name}"
        if handle.version() < version:
            what = f"its log ends at version {handle.version()}; batch {should.batch} left version {version}"
            yield Finding(full_name, what, "", "bring forward")
            continue
        rows = _rows(handle)
        if name in should.rows and rows != should.rows[name]:
            what = f"has {rows:,} rows; batch {should.batch} left {should.rows[name]:,}"
            yield Finding(full_name, what, "", "rebuild")


def _half_done(catalog: Catalog, pipeline: Pipeline, should: Standing | None) -> Finding | None:
    pending = BatchJournal(catalog.state / f"{pipeline.name}-batch.json").pending()
    if pending is None or pending.number <= (should.batch if should else 0):
        return None
    what = f"batch {pending.number} is half done; the next run finishes it"
    return Finding(f"{pipeline.schema}.{BATCHES.name}", what, "", "finish", grave=False)


def _rows(handle: DeltaTable) -> int:
    files = live_files(handle)
    return int(sum(files["num_records"])) if files.height else 0
