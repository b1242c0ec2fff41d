"""Sample rows of the tables that the pipeline writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from casper_ray.medallion.report.evidence import ACCOUNT, BATCHES, LOG, QUARANTINE, Evidence

START = datetime(2024, 1, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
PERSONAL = "Ann Person, 12 Elm Street"

Rows = list[dict[str, Any]]


def judged(batch: int, rule: str, passed: int, failed: int, **fields: Any) -> dict[str, Any]:
    """A row of `quality_log`."""
    sample = [{"order_id": f"O{n}", "_source_file": "w.json", "_line": n} for n in range(min(failed, 3))]
    row = {
        "run": "run-1",
        "batch": batch,
        "table": "orders",
        "rule": rule,
        "action": "warn",
        "expression": f"{rule} > 0",
        "tags": ["content"],
        "owner": "kitchen-data",
        "passed": passed,
        "failed": failed,
        "sample": json.dumps(sample),
        "stopped": False,
        "sim_instant": START + timedelta(hours=batch),
        "ingested_at": WALL + timedelta(minutes=batch),
    }
    return {**row, **fields}


def account(table: str, *counts: int, table_rows: int | None = 0) -> dict[str, Any]:
    """An account of `batches`: rows in, out, duplicate, late, dropped, quarantined."""
    return {"table": table, **dict(zip(ACCOUNT, counts, strict=True)), "table_rows": table_rows}


def batch(number: int, *counts: int, accounts: Rows | None = None, **fields: Any) -> dict[str, Any]:
    """A row of `batches`."""
    return {
        "batch": number,
        "sim_instant": START + timedelta(hours=number),
        **dict(zip(ACCOUNT, counts, strict=True)),
        "replaces": [],
        "accounts": accounts or [],
        **fields,
    }


def refused(number: int, source_file: str, *, rule: str | None = None, **fields: Any) -> dict[str, Any]:
    """A row of `quarantine`; its line is personal."""
    row = {
        "batch": number,
        "table": "orders",
        "rule": rule,
        "reason": "not JSON",
        "source_file": source_file,
        "line": PERSONAL,
    }
    return {**row, **fields}


def evidence(log: Rows, batches: Rows = (), quarantine: Rows = ()) -> Evidence:  # type: ignore[assignment]  # none
    """Evidence that was never in a lake."""
    return Evidence(
        log=pl.DataFrame(log, schema=LOG),
        batches=pl.DataFrame(list(batches), schema=BATCHES),
        quarantine=pl.DataFrame(
            [{name: row[name] for name in QUARANTINE} for row in quarantine], schema=QUARANTINE
        ),
    )
