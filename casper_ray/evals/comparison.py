"""Two versions beside each other: their runs' figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casper_ray.errors import ConfigError
from casper_ray.evals.runs import find_run
from casper_ray.evals.tracking import Tracking

_WIDE: Final = 34


def metrics_of(tracking: Tracking, agent: str, version: str, catalog: str) -> dict[str, float]:
    """A version's figures over a catalog. Raises: ConfigError where it has no run."""
    run = find_run(tracking, agent, version, catalog) if version.isalnum() else None
    if run is None:
        raise ConfigError(
            f"agent {agent}: version {version!r} has no run over {catalog}",
            f"`casper agents register --agent {agent}` makes it",
        )
    return dict(run.data.metrics)


def comparison_lines(
    one: str, ours: Mapping[str, float], other: str, theirs: Mapping[str, float]
) -> list[str]:
    """A table: figure, both versions, and the difference; `-` where a version has no such figure."""
    lines = [f"{'figure':{_WIDE}}{one:>16}{other:>16}{'difference':>16}"]
    for name in sorted({*ours, *theirs}):
        here, there = ours.get(name), theirs.get(name)
        difference = (there or 0.0) - (here or 0.0)
        cells = "".join("-".rjust(16) if value is None else f"{value:>16,.2f}" for value in (here, there))
        lines.append(f"{name:{_WIDE}}{cells}{difference:>+16,.2f}")
    return lines
