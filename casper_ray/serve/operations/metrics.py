"""The numbers of several processes as one text for Prometheus.

Every sample carries the label `process`, and processes are not added up here. A sum over processes would fall when
one of them dies, Prometheus would take that for a restart of the whole, and `rate()` would count everything that the
others ever did once more. By process, a series of a dead one just ends, and `sum(rate(...))` stays right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from casper_ray.serve.operations.instruments import REGISTRY

_ANSWERING = "casper_processes"


class Snapshot(NamedTuple):
    """What one process counted so far. Plain data: it crosses Ray.

    part: door, proposer:AGENT, keeper:CATALOG. process: that, and which of its replicas.
    """

    part: str
    process: str
    families: tuple[Metric, ...]


def snapshot(part: str, replica: str, registry: CollectorRegistry = REGISTRY) -> Snapshot:
    """This process's numbers, as they are now."""
    return Snapshot(part, f"{part}-{replica}", tuple(_counted(registry)))


def exposition(snapshots: Iterable[Snapshot], parts: Iterable[str] = ()) -> bytes:
    """All of it, as text. parts: those that there should be: one that has no process is told as 0."""
    return generate_latest(_Together(tuple(snapshots), tuple(parts)))


def _counted(registry: CollectorRegistry) -> Iterator[Metric]:
    for metric in registry.collect():
        # When a series began is of use in another format; in this one it would double the text.
        metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
        yield metric


class _Together(Collector):
    """The families of all processes, each family once."""

    def __init__(self, snapshots: tuple[Snapshot, ...], parts: tuple[str, ...]) -> None:
        self._snapshots, self._parts = snapshots, parts

    def collect(self) -> Iterator[Metric]:
        yield _processes(self._answering())
        families: dict[str, Metric] = {}
        for taken in self._snapshots:
            for metric in taken.families:
                family = families.setdefault(
                    metric.name, Metric(metric.name, metric.documentation, metric.type)
                )
                for sample in metric.samples:
                    family.add_sample(sample.name, {**sample.labels, "process": taken.process}, sample.value)
        yield from families.values()

    def _answering(self) -> Mapping[str, int]:
        answering = dict.fromkeys(self._parts, 0)
        for taken in self._snapshots:
            answering[taken.part] = answering.get(taken.part, 0) + 1
        return answering


def _processes(answering: Mapping[str, int]) -> Metric:
    family = Metric(_ANSWERING, "Processes of a part that answered this scrape.", "gauge")
    for part, count in answering.items():
        family.add_sample(_ANSWERING, {"part": part}, count)
    return family
