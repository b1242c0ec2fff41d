"""Rules in figures, from the quality log. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import polars as pl

_ATTEMPT = ["run", "batch", "ingested_at"]
_ORDER = ["batch", "ingested_at"]
_WITH_FAILURES = pl.col("failed") > 0


class RuleFigures(NamedTuple):
    """One rule of one table.

    passed, failed: rows of committed batches. stops: how often it stopped a batch. wordings: how many different
    expressions it has had; `action`, `expression`, `tags` and `owner` are the latest. last_batch, last_instant,
    sample: of the latest batch with a failure, stopped or not; None if there was none.
    """

    table: str
    rule: str
    action: str
    expression: str
    tags: tuple[str, ...]
    owner: str
    passed: int
    failed: int
    stops: int
    wordings: int
    last_batch: int | None
    last_instant: datetime | None
    sample: str | None

    @property
    def judged(self) -> int:
        return self.passed + self.failed


class Stop(NamedTuple):
    """A batch that a rule stopped: nothing of it was committed. failed: the rows that stopped it."""

    batch: int
    table: str
    rule: str
    expression: str
    owner: str
    failed: int
    sample: str | None
    sim_instant: datetime | None
    ingested_at: datetime


def committed(log: pl.DataFrame) -> pl.DataFrame:
    """The rows of attempts that were committed: those in which no rule stopped the batch."""
    stopped = log.filter("stopped").select(_ATTEMPT).unique()
    return log.join(stopped, on=_ATTEMPT, how="anti", nulls_equal=True)


def rule_figures(log: pl.DataFrame) -> list[RuleFigures]:
    """Every rule that was ever checked, by table and name."""
    counts = committed(log).group_by("table", "rule").agg(pl.col("passed", "failed").sum())
    latest = (
        log.sort(_ORDER)
        .group_by("table", "rule")
        .agg(
            pl.col("action", "expression", "tags", "owner").last(),
            pl.col("stopped").sum().cast(pl.Int64).alias("stops"),
            pl.col("expression").n_unique().cast(pl.Int64).alias("wordings"),
            pl.col("batch").filter(_WITH_FAILURES).last().alias("last_batch"),
            pl.col("sim_instant").filter(_WITH_FAILURES).last().alias("last_instant"),
            pl.col("sample").filter(_WITH_FAILURES).last(),
        )
        .with_columns(pl.col("action", "expression", "owner").fill_null(""))
    )
    rows = latest.join(counts, on=["table", "rule"], how="left").with_columns(
        pl.col("passed", "failed").fill_null(0)
    )
    return [
        RuleFigures(**{**row, "tags": tuple(row["tags"] or ())})
        for row in rows.select(RuleFigures._fields).sort("table", "rule").iter_rows(named=True)
    ]


def stops(log: pl.DataFrame) -> list[Stop]:
    """Every stop, the latest first."""
    rows = log.filter("stopped").sort(_ORDER, descending=True).select(Stop._fields)
    return [Stop(*row) for row in rows.with_columns(pl.col("expression", "owner").fill_null("")).iter_rows()]


def most_failing(rules: list[RuleFigures], limit: int) -> list[RuleFigures]:
    """The rules with the most failed rows, worst first; those without any are left out."""
    failing = [rule for rule in rules if rule.failed]
    return sorted(failing, key=lambda rule: (-rule.failed, rule.table, rule.rule))[:limit]
