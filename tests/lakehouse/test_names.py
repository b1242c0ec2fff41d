"""Three-level names and the folders that they stand for."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from casper_ray.errors import ConfigError, LakeError
from casper_ray.lakehouse.data_file import write_data_file
from casper_ray.lakehouse.names import (
    Catalog,
    checked_name,
    existing_catalog,
    local_folder,
    open_catalog,
)
from casper_ray.lakehouse.open_table import Change, OpenTable, TableFormat
from casper_ray.lakehouse.read import scan


def test_tables_and_volumes_lie_where_the_contract_says(tmp_path: Path) -> None:
    catalog = open_catalog(str(tmp_path), "caspers")
    assert catalog.table("lakeflow", "all_events") == tmp_path / "caspers/lakeflow/all_events"
    assert catalog.volume("simulator", "events") == tmp_path / "caspers/simulator/_volumes/events"


@pytest.mark.parametrize("name", ["a", "_a", "Orders_2", "bank-dev", "x" * 128])
def test_a_good_name_is_taken(name: str) -> None:
    assert checked_name("table", name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a.b", "a/b", "../x", "1a", "-a", "a b", "a\n", "ä", "x" * 129]
)
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        checked_name("table", name)
    with pytest.raises(ConfigError, match="schema name"):
        Catalog(tmp_path, "caspers").table(name, "t")
    with pytest.raises(ConfigError, match="table name"):
        Catalog(tmp_path, "caspers").table("s", name)
    with pytest.raises(ConfigError, match="volume name"):
        Catalog(tmp_path, "caspers").volume("s", name)
    with pytest.raises(ConfigError, match="catalog name"):
        open_catalog(str(tmp_path), name)
    assert not list(tmp_path.iterdir())


def test_a_folder_and_its_file_uri_are_one_lake(tmp_path: Path) -> None:
    assert local_folder(str(tmp_path)) == local_folder(f"file://{tmp_path}") == tmp_path
    assert local_folder(f"file://localhost{tmp_path}") == tmp_path


def test_a_relative_folder_is_below_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert local_folder(".casper/lake") == tmp_path / ".casper/lake"


@pytest.mark.parametrize("uri", ["s3://bucket/lake", "abfss://x@y/z", "file://server/share"])
def test_a_lake_that_is_not_local_is_refused(uri: str) -> None:
    with pytest.raises(LakeError, match="not supported yet"):
        local_folder(uri)


def test_a_lake_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LakeError, match=r"cannot be written .*--lake"):
        open_catalog(str(tmp_path / "file"), "caspers")


def test_opening_leaves_only_the_runs_own_folder(tmp_path: Path) -> None:
    catalog = open_catalog(str(tmp_path), "caspers")
    assert list(catalog.root.iterdir()) == [catalog.state]
    assert not list(catalog.state.iterdir())


def test_asking_for_a_catalog_makes_none(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"has no catalog 'caspers'\. Hint: `python -m casper_ray\.sim"):
        existing_catalog(str(tmp_path / "lake"), "caspers")
    assert not list(tmp_path.iterdir())


def test_an_existing_catalog_is_found(catalog: Catalog) -> None:
    assert existing_catalog(str(catalog.lake), "caspers") == catalog


def test_tables_are_listed_by_name_and_nothing_else_is(catalog: Catalog) -> None:
    for schema, table in (("lakeflow", "b"), ("lakeflow", "a"), ("bronze", "c")):
        (catalog.table(schema, table) / "_delta_log").mkdir(parents=True)
    catalog.table("lakeflow", "no_table").mkdir()
    catalog.volume("simulator", "events").mkdir(parents=True)
    assert catalog.table_names() == [("bronze", "c"), ("lakeflow", "a"), ("lakeflow", "b")]


@pytest.mark.parametrize("folder", ["my lake", "läke", "50%", "lake#1", "lake[1]", "lake*"])
def test_a_folder_whose_tables_could_not_be_read_again_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(LakeError, match="could not be read in a folder with"):
        open_catalog(str(tmp_path / folder), "caspers")
    assert not (tmp_path / folder).exists()


def test_a_table_can_be_read_under_every_name_that_is_accepted(tmp_path: Path) -> None:
    catalog = open_catalog(str(tmp_path / "a.b_c~d-e!$&'()+,;=:@f"), "caspers")
    table = OpenTable(catalog.table("s", "t"), TableFormat(schema=pa.schema([("id", pa.int64())])))
    file = write_data_file(pl.DataFrame({"id": [1]}), table.path, "a.parquet", {}, ())
    table.try_commit(Change(add=(file,)), app="a", batch=1, note={})
    assert scan(table.path).collect().rows() == [(1,)]


def test_the_pipelines_schema_is_the_one_with_its_batches(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, "bank_dev")
    assert catalog.pipeline_schema == "lakeflow", "nothing is there yet"
    for schema, table in (("compliance", "audit_log"), ("retail_banking", "batches"), ("truth", "cases")):
        (catalog.table(schema, table) / "_delta_log").mkdir(parents=True)
    assert catalog.pipeline_schema == "retail_banking"
    (catalog.table("lakeflow", "batches") / "_delta_log").mkdir(parents=True)
    assert catalog.pipeline_schema == "lakeflow"
