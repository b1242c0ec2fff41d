"""The pipelines that ship with casper_ray, and which of them a catalog has."""

from __future__ import annotations

from casper_ray import durable
from casper_ray.errors import LakeError
from casper_ray.lakehouse.names import Catalog, checked_name, local_folder

PIPELINES = {
    "kitchen": "casper_ray.medallion.kitchen.pipeline:PIPELINE",
    "bank": "casper_ray.medallion.bank.pipeline:PIPELINE",
}
"""Their references, by the domain whose events they take in."""

DEFAULT = "kitchen"


def pipeline_of(catalog: Catalog) -> str:
    """The reference of the pipeline of the catalog's world; where no world is known, the kitchen's.

    Raises: LakeError where the catalog's word cannot be read, or names no domain of this version's.
    """
    path = catalog.world_file
    try:
        world = durable.read_json(path) or {}
        return PIPELINES[world.get("domain", DEFAULT)]
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{path}: does not say which world this is ({error})", "restore it from a copy"
        ) from error


def pipeline_of_options(lake: str, catalog: str | None) -> str:
    """`pipeline_of` a catalog by its name, which need not be there; none named: the kitchen's."""
    if catalog is None:
        return PIPELINES[DEFAULT]
    return pipeline_of(Catalog(local_folder(lake), checked_name("catalog", catalog)))
