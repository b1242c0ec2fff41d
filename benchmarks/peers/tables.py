"""The tables both peers write, and how a peer reports its run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

PARTITION_BY: Final[Mapping[str, str | None]] = {
    "all_events": None,
    "silver_order_items": "order_day",
    "gold_order_header": None,
    "gold_item_sales_day": "day",
    "gold_brand_sales_day": "day",
    "gold_location_sales_hourly": None,
    "gold_location_brand_day": "day",
    "gold_location_peak_hours": None,
}
"""Each table with its partition column, as in contracts.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRun:
    """What one run of a peer took.

    startup_s     from the start of the process until it could begin: imports, and the JVM where there is one
    processing_s  from the first look at the volume until all eight tables are written
    whole_s       from the start of the process until it ends, without counting the rows for this report
    tables        rows of each table
    """

    startup_s: float
    processing_s: float
    whole_s: float
    tables: Mapping[str, int]

    def as_json(self) -> str:
        seconds = {key: round(value, 3) for key, value in asdict(self).items() if key != "tables"}
        return json.dumps({**seconds, "tables": dict(self.tables)})


def process_age_s() -> float:
    """Seconds since the kernel started this process, to 0.01 s: counts what ran before the first line."""
    after_name = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    started_s = int(after_name[19]) / os.sysconf("SC_CLK_TCK")
    return float(Path("/proc/uptime").read_text().split()[0]) - started_s
