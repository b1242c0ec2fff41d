"""`quality_log`: how each batch's rows did by each rule, also of a batch that a rule stopped."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from casper_ray.domain.time import SimMicros, as_datetime
from casper_ray.errors import UserError
from casper_ray.medallion.batch import Batch
from casper_ray.medallion.declare import Append, Table
from casper_ray.medallion.expectations import Expectation
from casper_ray.medallion.quality import Tally

_TS = pa.timestamp("us", "UTC")

QUALITY_LOG = Table(
    name="quality_log",
    reads="(every table)",
    grain="one row per batch, table and rule",
    schema=pa.schema(
        [
            ("run", pa.string()),
            ("batch", pa.int64()),
            ("table", pa.string()),
            ("rule", pa.string()),
            ("action", pa.string()),
            ("expression", pa.string()),
            ("tags", pa.list_(pa.string())),
            ("owner", pa.string()),
            ("passed", pa.int64()),
            ("failed", pa.int64()),
            ("sample", pa.string()),
            ("stopped", pa.bool_()),
            ("sim_instant", _TS),
            ("ingested_at", _TS),
        ]
    ),
    update=Append(),
    transform=lambda rows: rows,
    stats=("batch",),
)

Tallies = Mapping[tuple[str, str], Tally]


class StoppedBatchError(UserError):
    """A batch that a rule stopped. Nothing of it was committed; the same files are tried again by the next run."""

    @classmethod
    def by(cls, batch: Batch, table: str, rule: Expectation, tally: Tally) -> StoppedBatchError:
        rows = "1 row fails" if tally.failed == 1 else f"{tally.failed} rows fail"
        return cls(
            f"batch {batch.number} stopped by rule {rule.name!r} of {table} ({rule.sql}): {rows}, "
            f"such as {'; '.join(tally.samples)}; no table was changed",
            "mend or remove the file, or change the rule (see --quality), and run again",
        )


def stopping(batch: Batch, tallies: Tallies) -> StoppedBatchError | None:
    """The error of the first rule that stops the batch; None if none does."""
    for table, rules in batch.quality.rules.items():
        for rule in rules:
            tally = tallies.get((table, rule.name), Tally())
            if rule.action == "fail" and tally.failed:
                return StoppedBatchError.by(batch, table, rule, tally)
    return None


def log_rows(
    run: str, batch: Batch, tallies: Tallies, instant_us: int | None, *, stopped: bool
) -> pl.DataFrame:
    """The batch's rows of `quality_log`. stopped: marks the rules that stop a batch and were failed."""
    instant = None if instant_us is None else as_datetime(SimMicros(instant_us))
    rows = [
        {
            "run": run,
            "batch": batch.number,
            "table": table,
            "rule": rule.name,
            "action": rule.action,
            "expression": rule.sql,
            "tags": list(rule.tags),
            "owner": rule.owner,
            "passed": tallies[table, rule.name].passed,
            "failed": tallies[table, rule.name].failed,
            "sample": f"[{', '.join(tallies[table, rule.name].samples)}]",
            "stopped": stopped and rule.action == "fail" and tallies[table, rule.name].failed > 0,
            "sim_instant": instant,
            "ingested_at": as_datetime(SimMicros(batch.ingested_at_us)),
        }
        for table, rules in batch.quality.rules.items()
        for rule in rules
        if (table, rule.name) in tallies
    ]
    return pl.DataFrame(rows, schema=pl.Schema(QUALITY_LOG.schema))
