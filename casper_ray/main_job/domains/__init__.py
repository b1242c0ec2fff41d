"""The businesses that the main job can run. What is particular to one is said in its module here, and only there."""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what a domain is made of imports polars: not for --help
    from casper_ray.main_job.domains.domain import Domain

DOMAINS = {
    "kitchen": "casper_ray.main_job.domains.kitchen:KITCHEN",
    "bank": "casper_ray.main_job.domains.bank:BANK",
}


def load_domain(name: str) -> Domain[Any]:
    """The domain of that name, one of DOMAINS; its world's modules are imported now."""
    domain: Domain[Any] = pkgutil.resolve_name(DOMAINS[name])
    return domain
