"""This process's instruments. Every process of the application counts for itself; `scrape` puts them together."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Info, ProcessCollector

from casper_ray.serve.operations.case_figures import CaseFigures
from casper_ray.serve.operations.door_figures import DoorFigures


class AuditFigures:
    """What became of audit events."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter("casper_audit_events", "Audit events.", ("fate",), registry=registry)
        for fate in ("kept", "dropped", "failed"):
            self._events.labels(fate)  # so that an alert on failures sees them begin at 0

    def events(self, fate: Literal["kept", "dropped", "failed"], count: int) -> None:
        """dropped: too many waited. failed: could not be written; the write may be tried again."""
        self._events.labels(fate).inc(count)


REGISTRY: Final = CollectorRegistry()
DOOR: Final = DoorFigures(REGISTRY)
CASES: Final = CaseFigures(REGISTRY)
AUDIT: Final = AuditFigures(REGISTRY)
ProcessCollector(registry=REGISTRY)
Info("casper_build", "What runs.", registry=REGISTRY).info(
    {"version": version("casper-ray"), "ray": version("ray"), "python": platform.python_version()}
)
