"""The kill switch of an agent in one catalog: a file, so that it works whatever the runner is doing."""

from __future__ import annotations

from pathlib import Path

from casper_ray import durable
from casper_ray.agents.registry import AGENTS
from casper_ray.lakehouse.names import Catalog


class Switch:
    """Off while its file is there; looked at with every micro-batch, which costs one look at a folder's entry."""

    def __init__(self, catalog: Catalog, agent: str) -> None:
        self._file: Path = catalog.state / "agents" / f"{agent}.off"

    @property
    def off(self) -> bool:
        return self._file.exists()

    def turn_off(self) -> None:
        """Durable once this returns."""
        durable.write_file(self._file, b"")

    def turn_on(self) -> None:
        self._file.unlink(missing_ok=True)
        if self._file.parent.is_dir():
            durable.flush_folder(self._file.parent)


def switched_off(catalog: Catalog) -> list[str]:
    """The agents that are off in a catalog."""
    return [name for name in sorted(AGENTS) if Switch(catalog, name).off]
