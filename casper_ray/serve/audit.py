"""Audit events: every request that decides or is refused. One function writes their table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import polars as pl
import pyarrow as pa

from casper_ray.lakehouse.commit import commit_once
from casper_ray.lakehouse.data_file import write_data_file
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.open_table import Change, OpenTable, TableFormat
from casper_ray.lakehouse.read import scan

SCHEMA, TABLE = "compliance", "audit_log"
_TS = pa.timestamp("us", "UTC")


class AuditEvent(NamedTuple):
    """Who asked for what of which case, and what came of it. No personal data, no text of anybody's.

    at:         wall time. request_id: as the response's X-Request-Id. principal, role: empty where nobody was known.
    action:     of `access.principal.Action`. route: as declared, with its parameters' names, not their values.
    outcome:    decided, replayed (it was decided before), or the type of the error.
    gate:       what the gate said of a decision. decision_id, agent, case_id: empty where there is none.
    key_digest: of principal and Idempotency-Key; body_digest: of what was asked; empty where no key was sent.
    """

    at: datetime
    request_id: str
    principal: str
    role: str
    action: str
    route: str
    status: int
    outcome: str
    agent: str = ""
    case_id: str = ""
    decision_id: str = ""
    gate: str = ""
    key_digest: str = ""
    body_digest: str = ""


AUDIT: Final = TableFormat(
    schema=pa.schema(
        [
            ("at", _TS),
            *((name, pa.string()) for name in ("request_id", "principal", "role", "action", "route")),
            ("status", pa.int32()),
            *((name, pa.string()) for name in AuditEvent._fields[7:]),
        ]
    ),
    stats=("at",),
)
"""One row per event: the fields of `AuditEvent`."""


_COLUMNS: Final = pl.Schema(AUDIT.schema)


def write_events(table: OpenTable, app: str, number: int, events: Sequence[AuditEvent]) -> bool:
    """Commit events as `number` of the writer `app`, durably; False if the table has them. Retry: safe.

    Each writer has an `app` of its own, and its numbers rise.
    """
    rows = pl.DataFrame(events, orient="row", schema=_COLUMNS)
    file = write_data_file(rows, table.path, f"{app.replace('/', '-')}-{number:09d}.parquet", {}, AUDIT.stats)
    return commit_once(table, app=app, batch=number, change=lambda _: Change(add=(file,)))


def newest_events(catalog: Catalog, count: int) -> list[AuditEvent]:
    """The newest first."""
    rows = _events(catalog).sort("at", descending=True).head(count).collect()
    return [AuditEvent(*row) for row in rows.iter_rows()]


def read_keys(catalog: Catalog, since: datetime) -> list[tuple[str, datetime, str, str]]:
    """Idempotency keys that were answered since an instant: key_digest, at, body_digest, decision_id."""
    used = _events(catalog).filter(pl.col("at") >= since, pl.col("key_digest") != "")
    return used.select("key_digest", "at", "body_digest", "decision_id").collect().rows()


def _events(catalog: Catalog) -> pl.LazyFrame:
    path = catalog.table(SCHEMA, TABLE)
    if not (path / "_delta_log").is_dir():
        return pl.DataFrame(schema=_COLUMNS).lazy()
    return scan(path).select(AuditEvent._fields)
