"""A pipeline run by itself, over what its volume holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from casper_ray.cluster import RayStarting
from casper_ray.config import Environment
from casper_ray.lakehouse.lease import held_lease
from casper_ray.lakehouse.names import existing_catalog
from casper_ray.medallion.fan_out import warm_up
from casper_ray.medallion.one_pass import load_pipeline
from casper_ray.medallion.runner import BatchReport, Runner


def run_pipeline(
    reference: str,
    lake: str,
    catalog_name: str | None,
    environment: Environment,
    *,
    full_refresh: bool,
    refresh: tuple[str, ...],
    told: Callable[[str], None],
) -> dict[str, Any]:
    """Finish what a crash left, refresh what was asked for, then take in what is new. Returns a summary:
    pipeline, wall_s, batches, files, rows in and where they went, tables {name: {version, rows}}.

    Raises: LakeError where there is no such catalog; LeaseHeldError where another run has the pipeline.
    """
    started_s = time.monotonic()
    catalog = existing_catalog(lake, catalog_name or load_pipeline(reference).catalog)
    name = load_pipeline(reference).name
    with (
        held_lease(
            catalog.state / f"{name}-pipeline.lease",
            f"lake {catalog.lake}, catalog {catalog.name}: {name} pipeline",
        ),
        RayStarting(environment, warm_up) as starting,
    ):
        runner = Runner(reference, catalog)
        starting.wait()
        reports = list(_reports(runner, full_refresh, refresh, told))
    return _summary(runner, reports, time.monotonic() - started_s)


def _reports(
    runner: Runner, full_refresh: bool, refresh: tuple[str, ...], told: Callable[[str], None]
) -> list[BatchReport]:
    reports = []

    def done(report: BatchReport) -> None:
        reports.append(report)
        seconds = sum(report.seconds.values())
        told(
            f"batch {report.batch.number}: {len(report.batch.files)} files, {report.counts.rows_in:,} rows in, "
            f"{report.counts.quarantined:,} quarantined, {seconds:.2f} s"
        )

    if recovered := runner.recover():
        told("finished a batch that a crash had left half done")
        done(recovered)
    if full_refresh or refresh:
        done(runner.refresh(*refresh))
    for report in runner.run_available():
        done(report)
    if not reports:
        told("nothing new in the volume")
    return reports


def _summary(runner: Runner, reports: list[BatchReport], wall_s: float) -> dict[str, Any]:
    rows_in = sum(report.counts.rows_in for report in reports)
    return {
        "pipeline": runner.pipeline.name,
        "wall_s": round(wall_s, 3),
        "batches": len(reports),
        "files": sum(len(report.batch.files) for report in reports),
        "rows_in": rows_in,
        "duplicates": sum(report.counts.duplicates for report in reports),
        "late": sum(report.counts.late for report in reports),
        "quarantined": sum(report.counts.quarantined for report in reports),
        "tables": {
            f"{runner.pipeline.schema}.{name}": {"version": table.version, "rows": table.rows}
            for name, table in runner.tables.items()
        },
    }
