"""A kitchen's lake of a few hand-made lines, run in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from casper_ray.domain.time import SimMicros, sim_micros
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.lakehouse.read import scan
from casper_ray.medallion.batch_report import BatchReport
from casper_ray.medallion.runner import Runner, Wishes
from casper_ray.sim.window import Part, Window, file_name

PIPELINE = "casper_ray.medallion.kitchen.pipeline:PIPELINE"
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
OF_THE_RUN = ("batch", "_batch_id", "ingested_at", "_ingested_at", "run", "stopped", "sim_instant")
"""Columns that say which run brought a row, not what the row is."""


def minute_us(minutes: float) -> SimMicros:
    """An instant, in minutes from noon."""
    return sim_micros(NOON + timedelta(minutes=minutes))


def item(price: float = 2.5, qty: int = 1, brand_id: int = 10) -> dict[str, Any]:
    ids = {"id": 1, "menu_id": brand_id, "category_id": 7, "brand_id": brand_id}
    return {**ids, "name": "Soup", "price": price, "qty": qty}


def order(
    number: int, minutes: float = 0, items: Sequence[dict[str, Any]] | None = None, **fields: Any
) -> bytes:
    """The line of an order of so many minutes from noon; fields: what is to be otherwise."""
    basket = [item()] if items is None else list(items)
    event = {
        "event_id": f"e{number}",
        "event_type": "order_created",
        "ts": f"{NOON + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}.000",
        "location_id": 1,
        "order_id": f"O{number}",
        "sequence": 0,
        "body": json.dumps({"customer_addr": "1 Quay St", "items": basket}),
    }
    return json.dumps({**event, **fields}).encode() + b"\n"


def window_name(number: int, from_minutes: float, to_minutes: float) -> str:
    """The name of a file that a replay's window brought."""
    window = Window(number, minute_us(from_minutes), minute_us(to_minutes))
    return file_name("r-42", Part(window, 0, window.from_us, window.to_us))


@dataclass(frozen=True, slots=True)
class SmallLake:
    """One catalog, and what a person does with it."""

    catalog: Catalog

    @classmethod
    def at(cls, folder: Path) -> SmallLake:
        return cls(open_catalog(str(folder), "caspers"))

    @property
    def volume(self) -> Path:
        return self.catalog.volume("simulator", "events")

    @property
    def journal(self) -> Path:
        return self.catalog.state / "kitchen-batch.json"

    def drop(self, name: str, *lines: bytes) -> None:
        self.volume.mkdir(parents=True, exist_ok=True)
        (self.volume / name).write_bytes(b"".join(lines))

    def runner(self, **wishes: Any) -> Runner:
        return Runner(PIPELINE, self.catalog, Wishes(**wishes))

    def run(self, sim_instant_us: int | None = None, **wishes: Any) -> list[BatchReport]:
        return list(self.runner(**wishes).run_available(sim_instant_us))

    def table(self, name: str) -> pl.DataFrame:
        return scan(self.catalog.table("lakeflow", name)).collect()

    def orders(self) -> list[str]:
        return sorted(self.table("gold_order_header")["order_id"])

    def rows(self, name: str) -> list[tuple[Any, ...]]:
        """A table's rows, sorted, without what says which run brought them."""
        frame = self.table(name).drop(OF_THE_RUN, strict=False)
        return sorted(frame.select(sorted(frame.columns)).rows(), key=repr)

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every table that batches bring rows to."""
        return {name: self.rows(name) for name in self.runner().tables}

    def versions(self) -> dict[str, int]:
        return {name: table.version for name, table in self.runner().tables.items()}

    def files(self, *, but: str = "quality_log") -> dict[str, bytes]:
        """Every file of every table but one, logs too, with its bytes."""
        root = self.catalog.root / "lakeflow"
        paths = (path for path in sorted(root.rglob("*")) if path.is_file() and but not in path.parts)
        return {str(path.relative_to(root)): path.read_bytes() for path in paths}
