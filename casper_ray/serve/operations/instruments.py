"""This process's instruments. Every process of the application counts for itself; `scrape` puts them together."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector

from casper_ray.serve.operations.case_figures import CaseFigures
from casper_ray.serve.operations.door_figures import DoorFigures
from casper_ray.serve.operations.labels import SECONDS


class AuditFigures:
    """What became of audit events."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter("casper_audit_events", "Audit events.", ("fate",), registry=registry)
        for fate in ("kept", "dropped", "failed"):
            self._events.labels(fate)  # so that an alert on failures sees them begin at 0
        self._seconds = Histogram(
            "casper_audit_write_seconds",
            "Seconds until audit events are durable in the journal.",
            (),
            buckets=SECONDS,
            registry=registry,
        )

    def events(self, fate: Literal["kept", "dropped", "failed"], count: int) -> None:
        """dropped: too many waited. failed: could not be written; the write may be tried again."""
        self._events.labels(fate).inc(count)

    def written(self, count: int, seconds: float) -> None:
        """Events are durable."""
        self.events("kept", count)
        self._seconds.observe(seconds)


REGISTRY: Final = CollectorRegistry()
DOOR: Final = DoorFigures(REGISTRY)
CASES: Final = CaseFigures(REGISTRY)
AUDIT: Final = AuditFigures(REGISTRY)
ProcessCollector(registry=REGISTRY)
Info("casper_build", "What runs.", registry=REGISTRY).info(
    {"version": version("casper-ray"), "ray": version("ray"), "python": platform.python_version()}
)
