"""What a batch tells of itself."""

from __future__ import annotations

import time
from dataclasses import dataclass

import polars as pl

from casper_ray.medallion.accounts import Account, total
from casper_ray.medallion.batch import Batch
from casper_ray.medallion.pass_run import Passed


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What a batch did. counts: of the source's lines. accounts: per table, views too, and the source.

    partials: partial aggregates per keyed table; a key may be there several times. seconds: wall time per phase.
    """

    batch: Batch
    counts: Account
    accounts: dict[str, Account]
    newest_us: int | None
    partials: dict[str, pl.DataFrame]
    seconds: dict[str, float]
    worker_peak_bytes: int

    @property
    def quarantined(self) -> int:
        """Lines and rows that went to the quarantine, at whichever table."""
        return total(self.accounts.values()).quarantined


def report_of(
    batch: Batch, passed: Passed, partials: dict[str, pl.DataFrame], started_s: float, computed_s: float
) -> BatchReport:
    """The report of a batch whose commits are over just now. started_s, computed_s: when the pass began and ended."""
    return BatchReport(
        batch=batch,
        counts=passed.counts,
        accounts=passed.accounts,
        newest_us=passed.newest_us,
        partials=partials,
        seconds={"pass": computed_s - started_s, "commit": time.perf_counter() - computed_s},
        worker_peak_bytes=passed.peak_bytes,
    )
