"""A pipeline run by itself, over what its volume holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

from casper_ray.cluster import RayStarting
from casper_ray.config import Environment
from casper_ray.lakehouse.lease import Lease, catalog_lease
from casper_ray.lakehouse.names import Catalog, existing_catalog
from casper_ray.medallion.accounts import total
from casper_ray.medallion.batch_report import BatchReport
from casper_ray.medallion.fan_out import warm_up
from casper_ray.medallion.one_pass import load_pipeline
from casper_ray.medallion.pass_run import BLOCK_BYTES
from casper_ray.medallion.runner import Runner, Wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `casper medallion run` was asked for."""

    reference: str
    lake: str
    catalog: str | None
    full_refresh: bool = False
    refresh: tuple[str, ...] = ()
    wishes: Wishes


def run_pipeline(order: Order, environment: Environment, told: Callable[[str], None]) -> dict[str, Any]:
    """Finish what a crash left, refresh what was asked for, then take in what is new. Returns a summary:
    pipeline, wall_s, batches, files, rows in and where they went, tables {name: {version, rows}}.

    Raises: LakeError where there is no such catalog; LeaseHeldError where another run has the pipeline;
    StoppedBatchError where a rule stopped a batch.
    """
    started_s = time.monotonic()
    pipeline = load_pipeline(order.reference)
    catalog = existing_catalog(order.lake, order.catalog or pipeline.catalog)
    with ExitStack() as stack:
        lease = stack.enter_context(pipeline_lease(catalog, pipeline.name))
        if lease.taken_from:
            told(f"taken over from process {lease.taken_from.pid}, which died holding the lease")
        runner = Runner(order.reference, catalog, order.wishes)
        if runner.warning:
            told(runner.warning)
        if order.full_refresh or order.refresh or runner.waiting_bytes() > BLOCK_BYTES:
            # Less than a block is done here before a Ray would be up.
            stack.enter_context(RayStarting(environment, warm_up)).wait()
        reports = list(_reports(runner, order, told))
    return _summary(runner, reports, time.monotonic() - started_s)


def pipeline_lease(catalog: Catalog, name: str) -> AbstractContextManager[Lease]:
    """The lease of a pipeline's tables: one run at a time has it."""
    return catalog_lease(catalog, f"{name}-pipeline")


def _reports(runner: Runner, order: Order, told: Callable[[str], None]) -> list[BatchReport]:
    reports = []

    def done(report: BatchReport) -> None:
        reports.append(report)
        told(_line(report))

    if recovered := runner.recover():
        told("finished a batch that a crash had left half done")
        done(recovered)
    if order.full_refresh or order.refresh:
        done(runner.refresh(*order.refresh))
    for report in runner.run_available():
        done(report)
    if not reports:
        told("nothing new in the volume")
    return reports


def _line(report: BatchReport) -> str:
    counts = report.counts
    left_out = [
        f"{rows:,} {what}"
        for rows, what in (
            (counts.duplicate, "duplicate"),
            (counts.late, "late"),
            (counts.dropped, "dropped"),
            (report.quarantined, "quarantined"),
        )
        if rows
    ]
    seconds = sum(report.seconds.values())
    return (
        f"batch {report.batch.number}: {len(report.batch.reads)} files, {counts.rows_in:,} rows in"
        f"{''.join(', ' + text for text in left_out)}, {seconds:.2f} s"
    )


def _summary(runner: Runner, reports: list[BatchReport], wall_s: float) -> dict[str, Any]:
    counts = total(report.counts for report in reports)
    return {
        "pipeline": runner.pipeline.name,
        "wall_s": round(wall_s, 3),
        "batches": len(reports),
        "files": sum(len(report.batch.reads) for report in reports),
        "rows_in": counts.rows_in,
        "duplicates": counts.duplicate,
        "late": counts.late,
        "dropped": total(a for report in reports for a in report.accounts.values()).dropped,
        "quarantined": sum(report.quarantined for report in reports),
        "tables": {
            f"{runner.pipeline.schema}.{name}": {"version": table.version, "rows": table.rows}
            for name, table in runner.tables.items()
        },
    }
