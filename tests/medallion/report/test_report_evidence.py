"""What is read of a lake: tables of today, of an older version, and none."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from deltalake import write_deltalake
from quality_samples import PERSONAL, batch, judged, refused

from casper_ray.errors import LakeError, SchemaError
from casper_ray.lakehouse.names import Catalog
from casper_ray.medallion.report.evidence import BATCHES, LOG, QUARANTINE, load_evidence, load_log

WriteLake = Callable[..., Catalog]


def test_evidence_is_what_the_tables_hold(write_lake: WriteLake) -> None:
    found = load_evidence(
        write_lake(
            quality_log=[judged(1, "price", 9, 1)],
            batches=[batch(1, 10, 10, 0, 0, 0, 0)],
            quarantine=[refused(1, "a.json")],
        )
    )
    assert found.log["failed"].to_list() == [1]
    assert found.batches["rows_in"].to_list() == [10]
    assert found.quarantine["source_file"].to_list() == ["a.json"]


def test_refused_lines_are_not_even_read(write_lake: WriteLake) -> None:
    rows = [refused(1, "a.json")]
    found = load_evidence(write_lake(quality_log=[judged(1, "price", 9, 1)], quarantine=rows))
    assert "line" not in found.quarantine.columns
    assert PERSONAL not in str(found.quarantine.rows())


def test_a_sample_of_what_passed_is_none(write_lake: WriteLake) -> None:
    log = load_log(write_lake(quality_log=[judged(1, "a", 9, 0), judged(2, "a", 9, 1)])).sort("batch")
    assert log["sample"].is_null().to_list() == [True, False]


def test_a_lake_without_a_log_is_refused_with_a_hint(catalog: Catalog, write_lake: WriteLake) -> None:
    with pytest.raises(LakeError, match=r"has no quality log.*Hint"):
        load_evidence(catalog)
    with pytest.raises(LakeError, match=r"has no quality log.*Hint"):
        load_log(write_lake(quality_log=[]))


def test_a_log_alone_is_enough(write_lake: WriteLake) -> None:
    found = load_evidence(write_lake(quality_log=[judged(1, "price", 9, 1)]))
    assert (found.batches.schema, found.batches.height) == (BATCHES, 0)
    assert (found.quarantine.schema, found.quarantine.height) == (QUARANTINE, 0)


def test_tables_of_an_older_version_lack_what_they_lack(write_lake: WriteLake) -> None:
    catalog = write_lake(quality_log=[judged(1, "price", 9, 1)])
    old = pl.DataFrame([batch(1, 10, 10, 0, 0, 0, 0)], schema=BATCHES)
    write_deltalake(
        str(catalog.table("lakeflow", "batches")), old.drop("rows_dropped", "accounts", "replaces")
    )
    found = load_evidence(catalog).batches
    assert found.schema == BATCHES
    assert found.select("rows_dropped", "accounts").row(0) == (None, None)


def test_a_log_without_a_column_it_needs_says_which(catalog: Catalog) -> None:
    rows = pl.DataFrame([judged(1, "price", 9, 1)], schema=LOG).drop("failed")
    write_deltalake(str(catalog.table("lakeflow", "quality_log")), rows)
    with pytest.raises(SchemaError, match=r"missing \['failed'\]"):
        load_log(catalog)
