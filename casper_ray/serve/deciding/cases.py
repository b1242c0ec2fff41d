"""The cases that an agent can be asked about: looked up by subject or id, kept up with the pipeline's batches."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import polars as pl

from casper_ray.agents.case import no_cases
from casper_ray.agents.decision import in_order
from casper_ray.agents.stream.runner import Setting
from casper_ray.agents.stream.source import BatchesTail
from casper_ray.lakehouse.batch_versions import refreshed_between

_LOOK_EVERY_S: Final = 0.2


class Cases:
    """An agent's store, and where each of its cases is.

    For one thread at a time while it follows; any number while it does not.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting, self._tail = setting, BatchesTail(setting.catalog)
        self._tail.moved()  # what there is by now is read below
        self.store: Any = setting.agent.open_store(setting.catalog, None)
        self._looked_s = time.monotonic()
        self._left: dict[int, Mapping[str, int]] = {}
        self._index_all()

    @property
    def due(self) -> bool:
        """Whether it was long enough ago that somebody looked for batches."""
        return time.monotonic() - self._looked_s >= _LOOK_EVERY_S

    def follow(self) -> None:
        """Take in what batches brought since."""
        self._looked_s = time.monotonic()
        after = self.store.batch
        if not self._tail.moved() or not self.store.follow():
            return
        catalog, to = self._setting.catalog, self.store.batch
        if refreshed_between(catalog, catalog.pipeline_schema, after, to):
            self._index_all()  # tables were made anew, and brought cases again
        else:
            self._index(self._setting.agent.cases(self.store, after, to))

    def places(self, subjects: Iterable[str]) -> list[int | None]:
        """Where the case of each subject, or of each case's id, is; None: there is none. Of several the first."""
        return [self._place.get(subject) for subject in subjects]

    def rows(self, places: Iterable[int]) -> pl.DataFrame:
        """The cases there, each once, in the order in which they are decided."""
        wanted = pl.Series(sorted(set(places)), dtype=pl.UInt32)
        return in_order(self._rows.select(pl.all().gather(wanted)))

    def case_id(self, place: int) -> str:
        return self._ids[place]

    def left(self, batches: pl.Series) -> dict[int, Mapping[str, int]]:
        """Table versions as each of the batches left them."""
        wanted = set(batches.unique().to_list())
        if new := wanted - self._left.keys():
            self._left |= self.store.versions_by_batch(new)
        return {batch: self._left[batch] for batch in wanted}

    def _index_all(self) -> None:
        self._rows, self._left = no_cases(), {}
        self._ids: list[str] = []
        self._place: dict[str, int] = {}
        self._index(self._setting.agent.cases(self.store, -1, self.store.batch))

    def _index(self, new: pl.DataFrame) -> None:
        if self._setting.agent.ahead is not None:
            self._setting.agent.ahead(self.store, new)  # any of them may be asked for
        first = self._rows.height
        self._rows = pl.concat([self._rows, new.select(self._rows.columns)], rechunk=True)
        self._ids += new["case_id"].to_list()
        for keys in (new["subject"].to_list(), self._ids[first:]):
            for place, key in enumerate(keys, first):
                self._place.setdefault(key, place)
