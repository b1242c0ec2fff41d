"""casper_ray's own pipeline over the same volume, cold or warm, reporting as the peers do.

    python benchmarks/peers/ours.py VOLUME_DIR OUT_DIR [--pipeline NAME] [--warm WARM_VOLUME_DIR] [--json]

Exactly as `python -m casper_ray.medallion run`: lease, journal, flushes, commits with the batch's number.
With --warm, the workers have run the pipeline over another volume and another lake before the clock starts;
without, the process is cold, and `whole_s` is what to compare. --pipeline: kitchen; plain, the kitchen's where
nothing is judged, see `plain.py`; or bank, see `bank_pipeline.py`. A pipeline of several feeds finds each in
`VOLUME_DIR/FEED`; where there are `VOLUME_DIR/dimensions/NAME.parquet` and `VOLUME_DIR/keys.json`, they are the
catalog's before the clock starts. Beside what the peers report, `pass_s` is what the passes took.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from pathlib import Path

import polars as pl
from tables import PeerRun, process_age_s

from casper_ray.cluster import RayStarting
from casper_ray.config import load_environment
from casper_ray.lakehouse.lease import held_lease
from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.main_job.world_tables import write_dimensions
from casper_ray.medallion.fan_out import warm_up
from casper_ray.medallion.one_pass import load_pipeline
from casper_ray.medallion.runner import Runner
from casper_ray.security.key_source import KEY_FILE

PIPELINES = {
    "kitchen": "casper_ray.medallion.kitchen.pipeline:PIPELINE",
    "plain": "plain:PIPELINE",
    "bank": "bank_pipeline:PIPELINE",
}


def prepared_catalog(out: Path, volume: Path, reference: str) -> Catalog:
    """An empty catalog whose volumes are links to `volume`, or to its folders."""
    shutil.rmtree(out, ignore_errors=True)
    pipeline = load_pipeline(reference)
    catalog = open_catalog(str(out), pipeline.catalog)
    for source in pipeline.sources:
        link = catalog.volume(source.schema, source.volume)
        link.parent.mkdir(parents=True, exist_ok=True)
        folder = volume / source.volume if len(pipeline.sources) > 1 else volume
        link.symlink_to(folder.resolve())
    dimensions = sorted((volume / "dimensions").glob("*.parquet"))
    write_dimensions(catalog, {file.stem: pl.read_parquet(file) for file in dimensions})
    if (volume / KEY_FILE).exists():
        shutil.copy(volume / KEY_FILE, catalog.state / KEY_FILE)  # with its mode: only its owner's
    return catalog


def run_pipeline(catalog: Catalog, starting: RayStarting, reference: str) -> tuple[Runner, float]:
    """Everything in the volume through the pipeline, with the lease held; and the seconds of its passes."""
    pass_s = 0.0
    with held_lease(catalog.state / f"{load_pipeline(reference).name}-pipeline.lease", "benchmark"):
        runner = Runner(reference, catalog)
        starting.wait()
        for report in runner.run_available():
            pass_s += report.seconds["pass"]
            if os.environ.get("CASPER_BENCH_VERBOSE"):
                print(report.counts, report.seconds, flush=True)
    return runner, pass_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("volume", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--warm", type=Path)
    parser.add_argument("--pipeline", choices=PIPELINES, default="kitchen")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    reference = PIPELINES[options.pipeline]
    with RayStarting(load_environment(), warm_up) as starting:
        if options.warm:
            starting.wait()
            warm = prepared_catalog(options.out.with_suffix(".warm"), options.warm, reference)
            run_pipeline(warm, starting, reference)
        catalog = prepared_catalog(options.out, options.volume, reference)
        startup_s, begun = process_age_s(), time.perf_counter()
        runner, pass_s = run_pipeline(catalog, starting, reference)
        processing_s, whole_s = time.perf_counter() - begun, process_age_s()
    tables = {name: table.rows for name, table in runner.tables.items() if name != "quarantine"}
    run = PeerRun(startup_s=startup_s, processing_s=processing_s, whole_s=whole_s, tables=tables)
    print(json.dumps({**json.loads(run.as_json()), "pass_s": round(pass_s, 3)}))


if __name__ == "__main__":
    main()
