"""What a run of an agent tells: now and then how far it is, at the end what became of the cases."""

from __future__ import annotations

import time
from collections import Counter, deque
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import polars as pl

from casper_ray.agents.stream.runner import AgentRunner, Step
from casper_ray.agents.stream.teller import Teller
from casper_ray.console import figures
from casper_ray.lakehouse.names import Catalog
from casper_ray.lakehouse.read import scan

_LAGS_KEPT: Final = 100_000


class Report:
    """Counts of one run.

    Lag: from when the pipeline took a case's batch in to its decision being durable; of what it took in since the run
    began, for the rest waited for the run.
    """

    def __init__(self, catalog: Catalog, agent: str, engine: str, teller: Teller) -> None:
        self._catalog, self._agent, self._engine, self._teller = catalog, agent, engine, teller
        self._begun_s = self._told_s = time.monotonic()
        self._begun = datetime.now(UTC)
        self.version: str | None = None
        self.cursor = -1
        self.off = False
        self._cases = self._steps = 0
        self._outcomes, self._actions = Counter[str](), Counter[str]()
        self._money: dict[str, Decimal] = {}
        self._lags_ms: deque[float] = deque(maxlen=_LAGS_KEPT)

    def began(self, runner: AgentRunner) -> None:
        self.version, self.cursor, self.off = runner.version, runner.log.cursor, runner.switch.off
        version = f"{self._agent} {runner.version} on {self._engine}"
        self._teller.line(
            f"{version}, from batch {self.cursor + 1} on{' (switched off)' if self.off else ''}"
        )

    def decided(self, runner: AgentRunner, step: Step) -> None:
        self._steps += 1
        self._cases += step.decisions.height
        self.cursor, self.off = step.to, runner.switch.off
        self._outcomes.update(dict(step.decisions.group_by("outcome").len().iter_rows()))
        counted = step.decisions.group_by("gate_action").agg(pl.len(), pl.col("amount").sum())
        for action, count, amount in counted.iter_rows():
            self._actions[action] += count
            self._money[action] = self._money.get(action, Decimal("0.00")) + amount
        self._lags_ms.extend(self._lags(step))

    def progressed(self) -> None:
        if time.monotonic() - self._told_s >= self._teller.every_s:
            self._told_s = time.monotonic()
            self._teller.progress(self._progress())

    def summary(self, ended: str) -> dict[str, Any]:
        """What `--json` prints."""
        seconds = time.monotonic() - self._begun_s
        return {
            "agent": self._agent,
            "version": self.version,
            "engine": self._engine,
            "cases": self._cases,
            "outcomes": dict(sorted(self._outcomes.items())),
            "gate": dict(sorted(self._actions.items())),
            "money": str(sum(self._money.values(), Decimal("0.00"))),
            "micro_batches": self._steps,
            "cursor": self.cursor,
            "off": self.off,
            "wall_s": round(seconds, 3),
            "cases_per_s": round(self._cases / seconds, 1) if seconds else None,
            "lag_ms": {"p50": self._lag(0.50), "p95": self._lag(0.95)},
            "lake": str(self._catalog.lake),
            "catalog": self._catalog.name,
            "ended": ended,
        }

    def finish(self, ended: str) -> dict[str, Any]:
        """The summary, told too."""
        summary = self.summary(ended)
        for line in summary_lines(summary):
            self._teller.line(line)
        return summary

    def _lags(self, step: Step) -> list[float]:
        """Milliseconds per case; a batch's own time stands in `batches`."""
        batches = step.decisions["source_batch"].unique()
        rows = scan(self._catalog.table(self._catalog.pipeline_schema, "batches"))
        came = rows.filter(pl.col("batch").is_in(batches.implode())).select("batch", "ingested_at").collect()
        at = dict(came.iter_rows())
        live = {batch: instant for batch, instant in at.items() if instant >= self._begun}
        return [
            _ms(step.committed_at, live[batch]) for batch in step.decisions["source_batch"] if batch in live
        ]

    def _lag(self, share: float) -> float | None:
        if not self._lags_ms:
            return None
        ordered = sorted(self._lags_ms)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    def _progress(self) -> str:
        took = figures.duration(time.monotonic() - self._begun_s)
        lag = figures.lag(self._lag(0.95))
        return (
            f"{took:>7}  batch {self.cursor}  {self._cases:,} cases  {_counts(self._actions)}  lag p95 {lag}"
        )


def summary_lines(summary: dict[str, Any]) -> list[str]:
    """The summary for people."""
    lag = summary["lag_ms"]
    return [
        "",
        f"Ended: {summary['ended']}",
        f"  cases      {summary['cases']:,} in {summary['micro_batches']:,} micro-batches; batch {summary['cursor']}",
        f"  outcomes   {_counts(summary['outcomes'])}",
        f"  gate       {_counts(summary['gate'])}",
        f"  money      {summary['money']}",
        f"  in         {figures.duration(summary['wall_s'])}, {figures.count(summary['cases_per_s'])} cases/s",
        f"  lag        p50 {figures.lag(lag['p50'])}, p95 {figures.lag(lag['p95'])}, from the pipeline to a decision",
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())) or "none"


def _ms(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds() * 1000
