"""A table put back to what it was."""

from __future__ import annotations

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import DeltaError

from casper_ray import durable
from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import refuse_empty_commit


def restore(catalog: Catalog, schema: str, table: str, version: int) -> int:
    """Make the table what it was at `version`, as a new version, which is returned. Those between stay readable.

    Which batches the table has had is not put back: none is applied twice. So what they brought is missing from it
    until the pipeline makes it anew; the batches that come are added to what is there.
    The caller holds the lease of the table's pipeline.
    Raises: LakeError where that version cannot be had: its files were vacuumed, or there never was one.
    """
    path = catalog.table(schema, table)
    refuse_empty_commit(path)  # a restore on top of it would bury what it lost
    handle = DeltaTable(str(path))
    if version == handle.version():
        return version
    try:
        handle.restore(
            version, commit_properties=CommitProperties(custom_metadata={"restored_to": str(version)})
        )
    except DeltaError as error:
        raise LakeError(
            f"table {path}: cannot be restored to version {version} ({str(error).splitlines()[0]})",
            "`casper lake history` lists the versions; files of old ones may have been vacuumed",
        ) from error
    log = path / "_delta_log"
    durable.flush_all([log / f"{handle.version():020d}.json", log])
    return handle.version()
