"""Where cases come from: whether the pipeline has ended a batch since, asked cheaply and often."""

from __future__ import annotations

import re
from pathlib import Path

from casper_ray.lakehouse.names import Catalog

_COMMIT = re.compile(r"(\d{20})\.json")


class BatchesTail:
    """Watches the log of `batches`. One look is one look at a folder's entry, however long the log is."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._next: int | None = None

    @property
    def there(self) -> bool:
        """Whether the catalog has batches at all, or will have them any moment."""
        return self._log.is_dir()

    def moved(self) -> bool:
        """Whether there is a commit that was not there when last asked; the first time, whether there is any."""
        if self._next is None:
            self._next = self._after_newest()
            return self._next > 0
        moved = False
        while (self._log / f"{self._next:020d}.json").exists():
            self._next += 1
            moved = True
        return moved

    def _after_newest(self) -> int:
        found = (_COMMIT.fullmatch(file.name) for file in self._log.iterdir()) if self.there else ()
        return max((int(match[1]) + 1 for match in found if match), default=0)

    @property
    def _log(self) -> Path:
        return self._catalog.table(self._catalog.pipeline_schema, "batches") / "_delta_log"
