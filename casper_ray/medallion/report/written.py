"""The report of a catalog as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from casper_ray.durable import write_file
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.names import Catalog
from casper_ray.medallion.report.evidence import load_evidence
from casper_ray.medallion.report.page import Source, page


def write_report(catalog: Catalog, lake_uri: str, out: Path) -> str:
    """Write the page of `catalog` to `out`; a line that says what was written.

    Raises: LakeError where no batch has been judged yet; ConfigError where `out` cannot be written.
    """
    evidence = load_evidence(catalog, schema=catalog.pipeline_schema)
    source = Source(lake=lake_uri, catalog=catalog.name, made_at=datetime.now(UTC))
    data = page(evidence, source).encode()
    try:
        write_file(out.absolute(), data)
    except OSError as error:
        raise ConfigError(
            f"--out {out}: cannot be written ({error.strerror})", "name a file in a folder of yours"
        ) from error
    rules = evidence.log.select("table", "rule").n_unique()
    return f"{out}: rules {rules}, batches {evidence.batches.height:,}, {len(data) / 1024:,.0f} KiB"
