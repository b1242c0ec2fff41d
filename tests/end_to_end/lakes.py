"""A lake as somebody sees it who only knows the contracts: folders, files, Delta tables."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import DeltaTable

MIDNIGHT = "2024-01-01T00:00"
TEN = "2024-01-01T10:00"

GOLD_KEYS = {
    "gold_order_header": ("order_id",),
    "gold_item_sales_day": ("item_id", "menu_id", "category_id", "brand_id", "day"),
    "gold_brand_sales_day": ("brand_id", "day"),
    "gold_location_sales_hourly": ("location_id", "hour_ts"),
    "gold_location_brand_day": ("location_id", "brand_id", "day"),
    "gold_location_peak_hours": ("location_id", "hour_of_day", "day_of_week"),
}


@dataclass(frozen=True, slots=True)
class Lake:
    """One catalog of a lake."""

    folder: Path
    catalog: str = "caspers"

    @property
    def options(self) -> tuple[str, ...]:
        return ("--lake", str(self.folder), "--catalog", self.catalog)

    @property
    def root(self) -> Path:
        return self.folder / self.catalog

    @property
    def state(self) -> Path:
        return self.root / "_casper"

    @property
    def volume(self) -> Path:
        return self.root / "simulator" / "_volumes" / "events"

    def path(self, table: str, schema: str = "lakeflow") -> Path:
        return self.root / schema / table

    def table(self, name: str, schema: str = "lakeflow", version: int | None = None) -> pl.DataFrame:
        return pl.read_delta(str(self.path(name, schema)), version=version)

    def version(self, table: str) -> int:
        return int(DeltaTable(str(self.path(table))).version())

    def versions(self) -> dict[str, int]:
        return {name: self.version(name) for name in ("all_events", "silver_order_items", *GOLD_KEYS)}

    def files(self) -> list[Path]:
        """The volume's event files, by name."""
        return sorted(p for p in self.volume.glob("*.json") if not p.name.startswith((".", "_")))

    def lines(self) -> Counter[bytes]:
        """Every line of the volume, and how often it is there."""
        return Counter(line for file in self.files() for line in file.read_bytes().splitlines() if line)

    def has_begun(self) -> bool:
        """Whether a replay has written down where it stands."""
        return (self.state / "replay" / "cursor.json").exists()

    def status(self) -> dict[str, Any]:
        """What the replay last told of itself; empty before it does."""
        try:
            found: dict[str, Any] = json.loads((self.state / "replay" / "status.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def is_live(self, pid: int, least_events: int = 1) -> bool:
        """Whether process `pid` replays at its speed and has replayed so many events."""
        status = self.status()
        told = status.get("pid") == pid and status["phase"] == "live"
        return bool(told and status["events"] >= least_events)
