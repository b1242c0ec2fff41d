"""Decisions that were made, as JSON: the newest from memory, the others from the table."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path
from typing import Final

import polars as pl

from casper_ray.agents.stream.listing import decision_json
from casper_ray.lakehouse.read import scan
from casper_ray.serve.door.services import Made

_REMEMBERED: Final = 10_000
"""Of about 2 kB each."""


class PastDecisions:
    """By decision's id. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._newest: OrderedDict[str, Made] = OrderedDict()

    def add(self, rows: pl.DataFrame | None) -> None:
        """Rows of `DECISIONS` that were committed just now, if any."""
        for row in rows.iter_rows(named=True) if rows is not None else ():
            self._newest[row["decision_id"]] = made(row)
        while len(self._newest) > _REMEMBERED:
            self._newest.popitem(last=False)

    def found(self, ids: Collection[str]) -> dict[str, Made]:
        """The decisions of some ids; what there is not is left out."""
        near = {name: self._newest[name] for name in ids if name in self._newest}
        return near | read_decisions(self._path, set(ids) - near.keys())


def read_decisions(path: Path, ids: Collection[str]) -> dict[str, Made]:
    """The decisions of some ids, from the table at `path`."""
    if not ids or not (path / "_delta_log").is_dir():
        return {}
    rows = scan(path).filter(pl.col("decision_id").is_in(list(ids))).collect()
    return {row["decision_id"]: made(row) for row in rows.iter_rows(named=True)}


def made(row: dict[str, object]) -> Made:
    """A row of `DECISIONS` as an answer."""
    return Made(
        decision_id=str(row["decision_id"]),
        gate_action=str(row["gate_action"]),
        decision=json.dumps(decision_json(row), ensure_ascii=False),
        replayed=True,
    )
